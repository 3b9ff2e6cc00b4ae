import { OptionsError, type SettingDifference, TopologyConflictError, TopologyNotFoundError } from '@millrace/core';
import {
  type Binding,
  type BindingDeclaration,
  bindingId,
  bindingProblem,
  describeBinding,
  resolveBinding,
} from './binding.js';
import { type ExchangeDeclaration, resolveExchange } from './exchange-settings.js';
import { differences, isChangeable, type QueueDeclaration, resolveQueue } from './queue-settings.js';
import { isComplete, leftovers, type Topology, type TopologyEdit, withEdits } from './topology.js';

/** Exchanges, queues and bindings as code declares them. */
export interface TopologyDefinition {
  /** Default: none. */
  readonly exchanges?: readonly ExchangeDeclaration[] | undefined;
  /** Default: none. */
  readonly queues?: readonly QueueDeclaration[] | undefined;
  /** Default: none. */
  readonly bindings?: readonly BindingDeclaration[] | undefined;
}

/** What declaring would do to one object. An object that is already declared like this has no step. */
export interface PlanStep {
  /** `change`: can be applied while in use. `conflict`: cannot; delete the object first. */
  readonly action: 'create' | 'change' | 'conflict';
  /** The kind of object. */
  readonly kind: 'exchange' | 'queue' | 'binding';
  /** Its name; for a binding, its source and destination. */
  readonly name: string;
  /** What differs from the existing declaration; empty for `create`. */
  readonly differences: readonly SettingDifference[];
  /** Internal: what would be written. */
  readonly edit: TopologyEdit;
}

const changeableOfExchange: ReadonlySet<string> = new Set(['alternateExchange', 'internal']);

/**
 * Compares a definition with what is declared.
 *
 * @throws {OptionsError} a declaration is invalid in itself
 * @throws {TopologyNotFoundError} a binding names an exchange or queue that is neither declared nor in the definition
 */
export function planTopology(declared: Topology, definition: TopologyDefinition, owner: string): PlanStep[] {
  const left = leftovers(declared);
  const topology = left.length === 0 ? declared : withEdits(declared, left);
  const steps: PlanStep[] = [];
  const twice = new DeclaredTwice();
  for (const declaration of definition.exchanges ?? []) {
    const value = resolveExchange(declaration);
    twice.look('exchange', value);
    const step = stepFor('exchange', topology.exchanges.get(value.name), value, (difference) =>
      changeableOfExchange.has(difference.setting),
    );
    if (step !== undefined) steps.push({ ...step, edit: { table: 'exchanges', id: value.name, value } });
  }
  for (const declaration of definition.queues ?? []) {
    const settings = resolveQueue(declaration);
    twice.look('queue', settings);
    const value = settings.exclusive ? { ...settings, owner } : settings;
    const step = stepFor('queue', topology.queues.get(value.name), value, isChangeable);
    if (step !== undefined) steps.push({ ...step, edit: { table: 'queues', id: value.name, value } });
  }
  twice.refuse();
  const after = withEdits(topology, editsOf(steps));
  const bindings = new Map(topology.bindings);
  for (const declaration of definition.bindings ?? []) {
    const step = planBinding({ ...after, bindings }, resolveBinding(declaration));
    if (step === undefined) continue;
    steps.push(step);
    if (step.edit.table === 'bindings' && step.edit.value !== undefined) bindings.set(step.edit.id, step.edit.value);
  }
  return steps;
}

/** Objects that one definition declares in two ways: it is unknown which is meant. */
class DeclaredTwice {
  readonly #first = new Map<string, object>();
  readonly #problems: string[] = [];

  look(kind: 'exchange' | 'queue', value: { readonly name: string }): void {
    const object = `${kind} "${value.name}"`;
    const other = this.#first.get(object);
    if (other === undefined) this.#first.set(object, value);
    const settings = differences(other ?? value, value).map(({ setting }) => setting);
    if (settings.length === 0) return;
    this.#problems.push(`${object} is declared twice, with another ${settings.join(', ')} each time: declare it once`);
  }

  /** @throws {OptionsError} */
  refuse(): void {
    if (this.#problems.length > 0) throw new OptionsError('topology', this.#problems);
  }
}

/** The edits of a plan. @throws {TopologyConflictError} for a conflict, and for a change where changes are refused */
export function editsToApply(steps: readonly PlanStep[], onChange: 'refuse' | 'apply'): TopologyEdit[] {
  for (const { action, kind, name, differences: found } of steps) {
    if (action === 'conflict' || (action === 'change' && onChange === 'refuse')) {
      throw new TopologyConflictError(kind, name, found);
    }
  }
  return editsOf(steps);
}

/** Removes the bindings that such edits would complete: left by earlier objects of those names. They come before the edits. */
export function planRevival(topology: Topology, edits: readonly TopologyEdit[]): TopologyEdit[] {
  const left = leftovers(topology);
  if (left.length === 0) return left;
  const after = withEdits(topology, edits);
  return left.filter(({ id }) => {
    const binding = topology.bindings.get(id);
    return binding !== undefined && isComplete(after, binding);
  });
}

function planBinding(topology: Topology, binding: Binding): PlanStep | undefined {
  const exchange = topology.exchanges.get(binding.source);
  if (exchange === undefined) throw new TopologyNotFoundError('exchange', binding.source);
  const { kind, destination } = binding;
  if (kind !== 'topic' && !(kind === 'queue' ? topology.queues : topology.exchanges).has(destination)) {
    throw new TopologyNotFoundError(kind, destination);
  }
  const problem = bindingProblem(binding, exchange.type);
  if (problem !== undefined) throw new OptionsError(`binding ${describeBinding(binding)}`, [problem]);
  const id = bindingId(binding);
  if (topology.bindings.has(id)) return undefined;
  const other = exchange.type === 'consistent-hash' ? sameDestination(topology, binding) : undefined;
  return {
    action: other === undefined ? 'create' : 'conflict',
    kind: 'binding',
    name: describeBinding(binding),
    differences:
      other === undefined ? [] : [{ setting: 'weight', declared: other.routingKey, requested: binding.routingKey }],
    edit: { table: 'bindings', id, value: binding },
  };
}

/** A destination has one weight in a consistent-hash exchange. */
function sameDestination(topology: Topology, { source, kind, destination }: Binding): Binding | undefined {
  for (const other of topology.bindings.values()) {
    if (other.source === source && other.kind === kind && other.destination === destination) return other;
  }
  return undefined;
}

function stepFor<T extends { readonly name: string }>(
  kind: 'exchange' | 'queue',
  declared: T | undefined,
  requested: T,
  canChange: (difference: SettingDifference) => boolean,
): Omit<PlanStep, 'edit'> | undefined {
  if (declared === undefined) return { action: 'create', kind, name: requested.name, differences: [] };
  const found = differences(declared, requested);
  if (found.length === 0) return undefined;
  return { action: found.every(canChange) ? 'change' : 'conflict', kind, name: requested.name, differences: found };
}

function editsOf(steps: readonly PlanStep[]): TopologyEdit[] {
  return steps.map(({ edit }) => edit);
}
