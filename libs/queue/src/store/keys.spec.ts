import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { queueOf, slotOf, slotsOf } from '../model/shards.js';
import { queueKeys, resultKey, unackedKey } from './keys.js';

describe('the keys of a queue', () => {
  it.each([
    ['orders', 'p:{queue:orders}:settings'],
    ['queued weather', 'p:{queue:queued%20weather}:settings'],
    ['a:1', 'p:{queue:a%3A1}:settings'],
    ['}{', 'p:{queue:%7D%7B}:settings'],
  ])('of %j begin as %j', (queue, settings) => {
    expect(queueKeys('p', queue).settings).toBe(settings);
  });

  it('of its shards have their numbers', () => {
    const keys = slotsOf({ name: 'a:1', shards: 2 }).map((slot) => queueKeys('p', slot).ready);
    expect(keys).toEqual(['p:{queue:a%3A1:0}:ready', 'p:{queue:a%3A1:1}:ready']);
    expect(slotsOf({ name: 'a:1', shards: 2 }).map(queueOf)).toEqual(['a:1', 'a:1']);
  });

  it('are no other queue’s, no shard’s, and no other key of its own', () => {
    const part = fc.string({ unit: fc.constantFrom('a', ':', '1', '%', '3', 'A', '{', '}', '🧾') });
    const slot = fc.oneof(
      part,
      fc.tuple(part, fc.nat(12)).map(([queue, shard]) => slotOf(queue, shard)),
    );
    fc.assert(
      fc.property(slot, slot, part, part, (a, b, one, other) => {
        const all = [
          ...Object.values(queueKeys('p', a)),
          unackedKey('p', a, `500.1.${one}`),
          resultKey('p', a, one),
          resultKey('p', b, other),
        ];
        const isOther = a !== b;
        const others = isOther ? Object.values(queueKeys('p', b)) : [];
        const isSame = !isOther && one === other;
        expect(new Set([...all, ...others]).size).toBe(all.length + others.length - (isSame ? 1 : 0));
        expect(Object.values(queueKeys('p', a)).every((key) => key.match(/[{}]/g)?.length === 2)).toBe(true);
      }),
    );
  });
});
