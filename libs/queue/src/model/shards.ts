import { escapeName } from '@millrace/core';
import { hashOf } from './rendezvous.js';

/** The settings of a queue that decide where its messages are. */
export interface Sharded {
  readonly name: string;
  readonly shards?: number | undefined;
}

// No name has a control character, so a slot's name is never a queue's. Keys have a colon there: see `slotInKeys`.
const separator = '\u001f';

/**
 * The slots of a queue: where its messages are in Redis. A queue has one, with its own name; a sharded queue one per shard,
 * each a complete queue that may be on another server of a cluster.
 */
export function slotsOf({ name, shards }: Sharded): readonly string[] {
  if (shards === undefined) return [name];
  return Array.from({ length: shards }, (_, shard) => slotOf(name, shard));
}

export function slotOf(queue: string, shard: number): string {
  return `${queue}${separator}${shard}`;
}

/** The queue that a slot belongs to. */
export function queueOf(slot: string): string {
  const end = slot.lastIndexOf(separator);
  return end < 0 ? slot : slot.slice(0, end);
}

/** A slot as it appears in keys: the queue's name, escaped, and for a shard a colon and its number. */
export function slotInKeys(slot: string): string {
  const queue = queueOf(slot);
  return escapeName(queue) + slot.slice(queue.length).replace(separator, ':');
}

/** A shard's share of a limit that is declared for the whole queue: together they never exceed it. */
export function shareOf(limit: number | undefined, { shards = 1 }: Pick<Sharded, 'shards'>): number | undefined {
  return limit === undefined ? undefined : Math.floor(limit / shards);
}

/** A number for a key; modulo the number of shards it is the key's shard. Specified in docs/keyspace.md: it must not change. */
export function drawFor(key: string): number {
  return hashOf(key);
}
