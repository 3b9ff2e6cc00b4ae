import type { DamagedStateError } from '@millrace/core';
import type { Binding } from './binding.js';
import type { ExchangeSettings } from './exchange-settings.js';
import type { QueueSettings } from './queue-settings.js';

/** Everything that is declared, as it was at one version. It is never changed: a change makes a new one. */
export interface Topology {
  /** Grows with every change. */
  readonly version: number;
  /** By name. */
  readonly exchanges: ReadonlyMap<string, ExchangeSettings>;
  /** By name. */
  readonly queues: ReadonlyMap<string, QueueSettings>;
  /** By binding id. */
  readonly bindings: ReadonlyMap<string, Binding>;
  /** What stands among them and cannot be used, by its object: `queue "orders"`. It is hidden, but for whoever asks for it. */
  readonly damaged?: ReadonlyMap<string, DamagedStateError>;
}

/** @throws {DamagedStateError} the object is declared, and what stands in Redis of it cannot be used */
export function assertSound({ damaged }: Topology, kind: 'queue' | 'exchange', name: string): void {
  const error = damaged?.get(`${kind} ${JSON.stringify(name)}`);
  if (error !== undefined) throw error;
}

export const emptyTopology: Topology = {
  version: 0,
  exchanges: new Map(),
  queues: new Map(),
  bindings: new Map(),
};

/** One thing to write into the declared topology; without a value it is removed. */
export type TopologyEdit =
  | { readonly table: 'exchanges'; readonly id: string; readonly value?: ExchangeSettings }
  | { readonly table: 'queues'; readonly id: string; readonly value?: QueueSettings }
  | { readonly table: 'bindings'; readonly id: string; readonly value?: Binding };

/** The objects of a topology, while it is put together. */
export interface TopologyTables {
  readonly exchanges: Map<string, ExchangeSettings>;
  readonly queues: Map<string, QueueSettings>;
  readonly bindings: Map<string, Binding>;
}

/** The topology after some edits. */
export function withEdits(topology: Topology, edits: readonly TopologyEdit[], version = topology.version): Topology {
  const { exchanges, queues, bindings } = topology;
  const tables = { exchanges: new Map(exchanges), queues: new Map(queues), bindings: new Map(bindings) };
  for (const edit of edits) applyEdit(tables, edit);
  const damaged = new Map(topology.damaged);
  for (const { table, id } of edits) damaged.delete(objectOf(table, id));
  return { version, ...tables, ...(damaged.size > 0 && { damaged }) };
}

export function applyEdit({ exchanges, queues, bindings }: TopologyTables, edit: TopologyEdit): void {
  if (edit.table === 'exchanges') put(exchanges, edit.id, edit.value);
  else if (edit.table === 'queues') put(queues, edit.id, edit.value);
  else put(bindings, edit.id, edit.value);
}

/**
 * Whether both ends of a binding are declared. One that misses an end counts for nothing: what is removed with very many bindings goes before
 * them. It is removed itself before such an end is declared again.
 */
export function isComplete(topology: Topology, { source, kind, destination }: Binding): boolean {
  if (!isDeclared(topology, 'exchanges', source)) return false;
  return kind === 'topic' || isDeclared(topology, kind === 'queue' ? 'queues' : 'exchanges', destination);
}

/** Whether it is there, though it may not be of use. */
function isDeclared(topology: Topology, table: 'exchanges' | 'queues', name: string): boolean {
  return topology[table].has(name) || topology.damaged?.has(objectOf(table, name)) === true;
}

/** What an object is called where it is damaged. */
export function objectOf(table: TopologyEdit['table'], id: string): string {
  return `${table.slice(0, -1)} ${JSON.stringify(id)}`;
}

/** Removes the bindings that miss an end; of those only the ones that name this exchange or queue, where one is given. */
export function leftovers(topology: Topology, kind?: 'exchange' | 'queue', name?: string): TopologyEdit[] {
  const edits: TopologyEdit[] = [];
  for (const [id, binding] of topology.bindings) {
    const isMeant = kind === undefined || isEndOf(binding, kind, name);
    if (isMeant && !isComplete(topology, binding)) edits.push({ table: 'bindings', id });
  }
  return edits;
}

/** Whether a binding comes from an exchange, or leads to an exchange or a queue. */
export function isEndOf(binding: Binding, kind: 'exchange' | 'queue', name: string | undefined): boolean {
  return (kind === 'exchange' && binding.source === name) || (binding.kind === kind && binding.destination === name);
}

function put<T>(map: Map<string, T>, id: string, value: T | undefined): void {
  if (value === undefined) map.delete(id);
  else map.set(id, value);
}
