import { describe, expect, it } from '@jest/globals';
import { resolveQueue } from '@millrace/queue';
import { withShardsSummed } from './queue-shards.js';
import type { QueueSnapshot } from './snapshot.js';

const snapshot = (queue: string, n: number, more: Partial<QueueSnapshot> = {}): QueueSnapshot => ({
  queue,
  settings: resolveQueue({ name: queue }),
  at: 1000 + n,
  messages: n,
  ready: n * 2,
  unacked: n * 3,
  delayed: n * 4,
  dying: n * 5,
  parked: n * 6,
  completed: n * 10,
  consumers: n * 7,
  bytes: n * 8,
  isPaused: false,
  oldestAgeMs: n * 9,
  ...more,
});
const plain = resolveQueue({ name: 'plain' });
const sharded = resolveQueue({ name: 'sharded', shards: 2 });
const summed = (...shards: Partial<QueueSnapshot>[]) =>
  withShardsSummed(
    [sharded],
    shards.map((more, at) => snapshot('sharded', at + 1, more)),
  );

describe('the queues that an operator sees', () => {
  it('are each there once, in the order in which they are declared', () => {
    const slots = [snapshot('sharded', 1), snapshot('plain', 5), snapshot('sharded', 2)];
    const found = withShardsSummed([plain, sharded], slots);
    expect(found.map(({ queue }) => queue)).toEqual(['plain', 'sharded']);
    expect(found[0]).toBe(slots[1]);
  });

  it('have what all shards have together, and the consumers of the shard with most', () => {
    expect(summed({}, {})).toEqual([
      snapshot('sharded', 1, {
        at: 1002,
        messages: 3,
        ready: 6,
        unacked: 9,
        delayed: 12,
        dying: 15,
        parked: 18,
        completed: 30,
        consumers: 14,
        bytes: 24,
        oldestAgeMs: 18,
      }),
    ]);
  });

  it('are left out when a shard could not be read', () => {
    expect(summed({})).toEqual([]);
    expect(withShardsSummed([plain], [])).toEqual([]);
  });

  it('have no size when that of a shard is unknown', () => {
    expect(summed({}, { bytes: undefined })[0]?.bytes).toBeUndefined();
  });

  it('are paused when all shards are', () => {
    expect(summed({ isPaused: true }, {})[0]?.isPaused).toBe(false);
    expect(summed({ isPaused: true }, { isPaused: true })[0]?.isPaused).toBe(true);
  });

  it('have the age of the oldest message in any shard', () => {
    expect(summed({ oldestAgeMs: 7 }, { oldestAgeMs: undefined })[0]?.oldestAgeMs).toBe(7);
    expect(summed({ oldestAgeMs: undefined }, { oldestAgeMs: undefined })[0]?.oldestAgeMs).toBeUndefined();
  });
});
