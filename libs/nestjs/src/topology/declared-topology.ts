import { didYouMean } from '@millrace/core';
import { resolveTopic, topicDifferences } from '@millrace/log';
import { resolveExchange, resolveQueue, settingDifferences } from '@millrace/queue';
import { nameOf, withoutMessages, withoutType } from '../decorators/definitions.js';
import { joinTopologies, type Topology, throwProblems } from './topology.js';

type Kind = 'topic' | 'exchange' | 'queue';
type Differences = readonly { readonly setting: string; readonly declared: unknown; readonly requested: unknown }[];

/** The declarations of one place in the code. */
interface Entry {
  /** Names the place; called only for errors. */
  readonly place: () => string;
  readonly topology: Partial<Topology>;
}

/** Everything that modules and handlers of an application declare over one connection, with the places in the code. */
export class DeclaredTopology {
  readonly #connection: string;
  readonly #modules: Entry[] = [];
  readonly #handlers: Entry[] = [];

  constructor(connection: string) {
    this.#connection = connection;
  }

  /** Adds the declarations of a module. */
  add(place: () => string, topology: Partial<Topology>): void {
    this.#modules.push({ place, topology });
  }

  /** Adds the declarations of handlers. Their consumers declare them when they start, so they are not in `joined`. */
  addHandlers(label: string, topology: Partial<Topology>): void {
    this.#handlers.push({ place: () => label, topology });
  }

  /** The declarations of all modules, merged. */
  get joined(): Topology {
    return joinTopologies(this.#modules.map(({ topology }) => topology));
  }

  /** ` (did you mean "…"?)`, when a module declares a queue with a similar name; undefined when one declares it. */
  guessQueue(name: string): string | undefined {
    const names = this.joined.queues.map(nameOf);
    return names.includes(name) ? undefined : didYouMean(name, names);
  }

  /** @throws {OptionsError} two places declare an object differently, with `added` included */
  assertAlike(added: readonly Entry[] = []): void {
    throwProblems(`topology of connection "${this.#connection}"`, this.conflicts(added));
  }

  /** Objects that two places declare differently, with `added` included: one problem each. */
  conflicts(added: readonly Entry[] = []): string[] {
    const entries = [...this.#modules, ...this.#handlers, ...added];
    return [
      ...conflictsOf(
        'topic',
        entries,
        ({ topics = [] }) => topics,
        (a, b) => topicDifferences(resolveTopic(withoutType(a)), resolveTopic(withoutType(b))),
      ),
      ...conflictsOf(
        'exchange',
        entries,
        ({ exchanges = [] }) => exchanges,
        (a, b) => settingDifferences(resolveExchange(withoutMessages(a)), resolveExchange(withoutMessages(b))),
      ),
      ...conflictsOf(
        'queue',
        entries,
        ({ queues = [] }) => queues.map(whole),
        (a, b) => settingDifferences(resolveQueue(withoutType(a)), resolveQueue(withoutType(b))),
      ),
    ];
  }
}

function conflictsOf<D extends { readonly name: string }>(
  kind: Kind,
  entries: readonly Entry[],
  declarations: (topology: Partial<Topology>) => readonly D[],
  compare: (a: D, b: D) => Differences,
): string[] {
  const first = new Map<string, { readonly declaration: D; readonly place: () => string }>();
  const problems: string[] = [];
  for (const { place, topology } of entries) {
    for (const declaration of declarations(topology)) {
      const other = first.get(declaration?.name);
      if (other === undefined) first.set(declaration?.name, { declaration, place });
      else if (other.declaration !== declaration) {
        const differences = differencesOf(compare, other.declaration, declaration);
        if (differences.length === 0) continue;
        problems.push(
          `${kind} "${declaration.name}" is declared by ${other.place()} and by ${place()} differently ` +
            `(${differences.map(({ setting, declared, requested }) => `${setting}: ${shown(declared)} and ${shown(requested)}`).join(', ')}). ` +
            "Declare it once, or with equal settings: onTopologyChange: 'apply' changes the settings in Redis, and cannot choose between the two",
        );
      }
    }
  }
  return problems;
}

/** A declaration that is invalid itself is reported where it is declared. */
function differencesOf<D>(compare: (a: D, b: D) => Differences, a: D, b: D): Differences {
  try {
    return compare(a, b);
  } catch {
    return [];
  }
}

function whole<Q extends { readonly name: string }>(queue: string | Q): Q | { readonly name: string } {
  return typeof queue === 'string' ? { name: queue } : queue;
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value);
}
