import type { DamagedStateError } from '@millrace/core';
import type { Binding } from './binding.js';
import type { ExchangeSettings } from './exchange-settings.js';
import type { QueueSettings } from './queue-settings.js';

/** Everything that is declared, as of one version. It is immutable: a change makes a new one. */
export interface Topology {
  /** Grows with every change. */
  readonly version: number;
  /** By name. */
  readonly exchanges: ReadonlyMap<string, ExchangeSettings>;
  /** By name. */
  readonly queues: ReadonlyMap<string, QueueSettings>;
  /** By binding id. */
  readonly bindings: ReadonlyMap<string, Binding>;
  /** Damaged objects, by name: `queue "orders"`. They are hidden, except from operations on the object itself. */
  readonly damaged?: ReadonlyMap<string, DamagedStateError>;
}

/** @throws {DamagedStateError} the object is declared, and its settings stored in Redis are damaged */
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

/** One write to the declared topology; without a value the object is removed. */
export type TopologyEdit =
  | { readonly table: 'exchanges'; readonly id: string; readonly value?: ExchangeSettings }
  | { readonly table: 'queues'; readonly id: string; readonly value?: QueueSettings }
  | { readonly table: 'bindings'; readonly id: string; readonly value?: Binding };

/** The objects of a topology while it is built. */
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
 * Whether both ends of a binding are declared. One that misses an end has no effect: an object with very many bindings is removed before
 * them. Such a binding is removed before its end is declared again.
 */
export function isComplete(topology: Topology, { source, kind, destination }: Binding): boolean {
  if (!isDeclared(topology, 'exchanges', source)) return false;
  return kind === 'topic' || isDeclared(topology, kind === 'queue' ? 'queues' : 'exchanges', destination);
}

/** Whether it is declared, possibly damaged. */
function isDeclared(topology: Topology, table: 'exchanges' | 'queues', name: string): boolean {
  return topology[table].has(name) || topology.damaged?.has(objectOf(table, name)) === true;
}

/** The name of an object in errors about damage. */
export function objectOf(table: TopologyEdit['table'], id: string): string {
  return `${table.slice(0, -1)} ${JSON.stringify(id)}`;
}

/** Removes the bindings that miss an end; if a name is given, only those that name this exchange or queue. */
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
