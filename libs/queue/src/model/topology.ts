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

/** The topology after some edits. */
export function withEdits(topology: Topology, edits: readonly TopologyEdit[], version = topology.version): Topology {
  const exchanges = new Map(topology.exchanges);
  const queues = new Map(topology.queues);
  const bindings = new Map(topology.bindings);
  for (const edit of edits) {
    if (edit.table === 'exchanges') put(exchanges, edit.id, edit.value);
    else if (edit.table === 'queues') put(queues, edit.id, edit.value);
    else put(bindings, edit.id, edit.value);
  }
  const damaged = new Map(topology.damaged);
  for (const { table, id } of edits) damaged.delete(`${table.slice(0, -1)} ${JSON.stringify(id)}`);
  return { version, exchanges, queues, bindings, ...(damaged.size > 0 && { damaged }) };
}

function put<T>(map: Map<string, T>, id: string, value: T | undefined): void {
  if (value === undefined) map.delete(id);
  else map.set(id, value);
}
