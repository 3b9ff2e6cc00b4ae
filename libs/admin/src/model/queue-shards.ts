import { type QueueSettings, slotsOf } from '@millrace/queue';
import type { QueueSnapshot } from './snapshot.js';

/** One entry per queue: the shards of a sharded queue are added up. A queue with an unreadable shard is left out. */
export function withShardsSummed(queues: readonly QueueSettings[], slots: readonly QueueSnapshot[]): QueueSnapshot[] {
  const byQueue = new Map<string, QueueSnapshot[]>();
  for (const slot of slots) byQueue.set(slot.queue, [...(byQueue.get(slot.queue) ?? []), slot]);
  return queues.flatMap((queue) => {
    const found = byQueue.get(queue.name) ?? [];
    return found.length === slotsOf(queue).length ? found.slice(0, 1).map((first) => summed(first, found)) : [];
  });
}

function summed(first: QueueSnapshot, shards: readonly QueueSnapshot[]): QueueSnapshot {
  if (shards.length === 1) return first;
  const sum = (key: 'messages' | 'ready' | 'delayed' | 'dying' | 'parked' | 'completed' | 'unacked'): number =>
    shards.reduce((total, shard) => total + shard[key], 0);
  const bytes = shards.map((shard) => shard.bytes);
  const ages = shards.flatMap(({ oldestAgeMs }) => oldestAgeMs ?? []);
  // Every figure by itself: with `...first`, a new one would be that of the first shard.
  return {
    queue: first.queue,
    settings: first.settings,
    at: Math.max(...shards.map(({ at }) => at)),
    messages: sum('messages'),
    ready: sum('ready'),
    delayed: sum('delayed'),
    dying: sum('dying'),
    parked: sum('parked'),
    completed: sum('completed'),
    unacked: sum('unacked'),
    // A consumer is registered in each shard.
    consumers: Math.max(...shards.map(({ consumers }) => consumers)),
    bytes: bytes.some((size) => size === undefined)
      ? undefined
      : bytes.reduce<number>((all, size) => all + (size ?? 0), 0),
    isPaused: shards.every(({ isPaused }) => isPaused),
    oldestAgeMs: ages.length === 0 ? undefined : Math.max(...ages),
  };
}
