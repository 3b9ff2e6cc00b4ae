import { type OptionReader, type OptionReaders, OptionsError } from '@millrace/core';
import type { TopicInput } from '@millrace/log';
import type { BindingDeclaration, ExchangeDeclaration, QueueDeclaration } from '@millrace/queue';
import type { ExchangeDefinition, QueueDefinition, TopicDefinition } from '../decorators/definitions.js';

export type { BindingDeclaration, ExchangeDeclaration, QueueDeclaration };
export type TopicDeclaration = TopicInput;

/** What is declared in Redis before anything is published or consumed. Several modules may have equal declarations. */
export interface Topology {
  /** Topics of the log. */
  readonly topics: readonly (TopicDeclaration | TopicDefinition)[];
  /** Exchanges, by name and type. */
  readonly exchanges: readonly (ExchangeDeclaration | ExchangeDefinition)[];
  /** Queues; a name stands for a queue with the defaults. */
  readonly queues: readonly (string | QueueDeclaration | QueueDefinition)[];
  /** Bindings: which messages go from an exchange to a queue, another exchange or a topic. */
  readonly bindings: readonly BindingDeclaration[];
}

export const noTopology: Topology = Object.freeze({ topics: [], exchanges: [], queues: [], bindings: [] });

/** One reader per list; the lib that declares the entries checks them. */
export function topologyReaders(defaults: Topology): OptionReaders<Topology> {
  return {
    topics: listOf(defaults.topics),
    exchanges: listOf(defaults.exchanges),
    queues: listOf(defaults.queues),
    bindings: listOf(defaults.bindings),
  };
}

/** Concatenates the lists. */
export function joinTopologies(topologies: readonly Partial<Topology>[]): Topology {
  return {
    topics: topologies.flatMap(({ topics = [] }) => topics),
    exchanges: topologies.flatMap(({ exchanges = [] }) => exchanges),
    queues: topologies.flatMap(({ queues = [] }) => queues),
    bindings: topologies.flatMap(({ bindings = [] }) => bindings),
  };
}

/** Equal problems are listed once. @throws {OptionsError} */
export function throwProblems(subject: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new OptionsError(subject, [...new Set(problems)]);
}

function listOf<T>(defaultList: readonly T[]): OptionReader<readonly T[]> {
  return (value, report, path) => {
    if (value === undefined) return defaultList;
    if (Array.isArray(value)) {
      for (const [index, entry] of value.entries())
        if (!isDeclaration(entry)) report(`${path}[${index}] is not a declaration`);
      return value.filter(isDeclaration);
    }
    report(`${path} must be a list`);
    return defaultList;
  };
}

/** A name, or an object; the lib that declares it checks its properties. */
function isDeclaration(entry: unknown): boolean {
  return typeof entry === 'string' || (typeof entry === 'object' && entry !== null);
}
