import { describe, expect, it } from '@jest/globals';
import { drawFor, queueOf, shareOf, slotInKeys, slotOf, slotsOf } from './shards.js';

describe('the slots of a queue', () => {
  it('are one of its own name, or one for each shard', () => {
    expect(slotsOf({ name: 'orders' })).toEqual(['orders']);
    const slots = [0, 1, 2].map((shard) => slotOf('orders', shard));
    expect(slotsOf({ name: 'orders', shards: 3 })).toEqual(slots);
    expect(slots.map(slotInKeys)).toEqual(['orders:0', 'orders:1', 'orders:2']);
    expect(['a:2', slotOf('a:2', 2)].map(slotInKeys)).toEqual(['a%3A2', 'a%3A2:2']);
    expect(['orders', slotOf('orders', 2), 'a:2', slotOf('a:2', 2)].map(queueOf)).toEqual([
      'orders',
      'orders',
      'a:2',
      'a:2',
    ]);
  });

  it('together never exceed a limit of the whole', () => {
    expect(shareOf(10, { shards: 3 })).toBe(3);
    expect(shareOf(10, {})).toBe(10);
    expect(shareOf(undefined, { shards: 3 })).toBeUndefined();
  });

  it('are drawn for a key by a number that must not change: other processes draw the same', () => {
    expect(['', 'a', 'order-1', 'é', '日本'].map(drawFor)).toEqual([
      2872998923, 2448022055, 3121117179, 2705881783, 3490853225,
    ]);
  });
});
