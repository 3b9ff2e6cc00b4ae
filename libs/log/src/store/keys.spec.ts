import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { copiesKey, deadLetterSource, groupKeys, groupPartitionKey, partitionKeys, redriveSource } from './keys.js';

describe('the keys of the log', () => {
  it.each([
    ['orders', 'billing', 'p:{log:orders:2}:group:billing', 'p:{group:billing}:members'],
    ['a:1', '{g} *', 'p:{log:a%3A1:2}:group:%7Bg%7D%20%2A', 'p:{group:%7Bg%7D%20%2A}:members'],
    ['für 🧾', 'für', 'p:{log:für%20🧾:2}:group:für', 'p:{group:für}:members'],
  ])('of topic %j and group %j', (topic, group, lease, members) => {
    expect(groupPartitionKey('p', topic, 2, group)).toBe(lease);
    expect(groupKeys('p', group).members).toBe(members);
  });

  it('say where a record was copied from', () => {
    expect(deadLetterSource('billing', { topic: 'orders', partition: 2 })).toBe('billing:orders:2');
    expect(redriveSource({ topic: 'orders.dead-letters', partition: 2 })).toBe('redrive:orders.dead-letters:2');
    expect(deadLetterSource('a:b', { topic: 'c', partition: 2 })).toBe('a%3Ab:c:2');
    expect(redriveSource({ topic: 'a:b', partition: 2 })).toBe('redrive:a%3Ab:2');
    expect(deadLetterSource('redrive', { topic: 'a', partition: 2 })).toBe('%72edrive:a:2');
  });

  it('are no other topic’s, partition’s or group’s', () => {
    const name = fc.string({ unit: fc.constantFrom('a', ':', '1', '%', '3', 'A', '{', '}', '🧾') });
    const place = fc.record({
      topic: fc.oneof(name, fc.constant('redrive')),
      partition: fc.nat(12),
      group: fc.oneof(name, fc.constantFrom('redrive', '%72edrive')),
    });
    const keysOf = ({ topic, partition, group }: { topic: string; partition: number; group: string }) => ({
      ofPartition: [
        ...Object.values(partitionKeys('p', topic, partition)),
        copiesKey('p', topic, partition, redriveSource({ topic: 'd', partition })),
      ],
      ofGroup: [
        groupPartitionKey('p', topic, partition, group),
        copiesKey('p', topic, partition, deadLetterSource(group, { topic: 'd', partition })),
      ],
    });
    fc.assert(
      fc.property(place, place, (a, b) => {
        const isSamePartition = a.topic === b.topic && a.partition === b.partition;
        const isSameGroup = isSamePartition && a.group === b.group;
        const [one, other] = [keysOf(a), keysOf(b)];
        const count = one.ofPartition.length * (isSamePartition ? 1 : 2) + one.ofGroup.length * (isSameGroup ? 1 : 2);
        const all = [...one.ofPartition, ...one.ofGroup, ...other.ofPartition, ...other.ofGroup];
        expect(new Set(all).size).toBe(count);
        expect(all.every((key) => key.match(/[{}]/g)?.length === 2)).toBe(true);
      }),
    );
    fc.assert(
      fc.property(place, place, (a, b) => {
        const isSame = a.group === b.group && a.topic === b.topic && a.partition === b.partition;
        expect(deadLetterSource(a.group, a) === deadLetterSource(b.group, b)).toBe(isSame);
        expect(deadLetterSource(a.group, a) === redriveSource(b)).toBe(false);
      }),
    );
  });
});
