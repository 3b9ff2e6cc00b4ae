import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Assignment, type AssignmentMember, assignPartitions } from './assignment.js';
import { partitionName, type TopicPartition } from './topic-partition.js';

const topicNames: readonly string[] = ['orders', 'payments', 'mails'];
const ids = fc.uniqueArray(fc.constantFrom(...'abcdefghij'), { minLength: 1, maxLength: 10 });
const topics = fc
  .tuple(...topicNames.map(() => fc.nat(12)))
  .map((counts) => new Map(topicNames.map((name, index) => [name, counts[index] ?? 0])));
const sameTopics = (members: readonly string[]): AssignmentMember[] =>
  members.map((id) => ({ id, topics: topicNames }));
const mixed = fc.uniqueArray(fc.record({ id: fc.constantFrom(...'abcdef'), topics: fc.subarray([...topicNames]) }), {
  selector: (member) => member.id,
  minLength: 1,
});

describe('the assignment of partitions', () => {
  it('is complete and disjoint, and gives no member a topic that it does not take', () => {
    fc.assert(
      fc.property(mixed, topics, mixed, (members, counts, before) => {
        const assignment = assignPartitions(members, counts, assignPartitions(before, counts, new Map()));
        const wanted = partitionsOf(counts).filter(({ topic }) => members.some((one) => one.topics.includes(topic)));
        expect(namesOf(assignment).sort()).toEqual(wanted.map(partitionName).sort());
        for (const { id, topics: own } of members) {
          for (const { topic } of assignment.get(id) ?? []) expect(own).toContain(topic);
        }
      }),
    );
  });

  it('is balanced to within one', () => {
    fc.assert(
      fc.property(ids, ids, topics, (before, after, counts) => {
        const assignment = assignPartitions(
          sameTopics(after),
          counts,
          assignPartitions(sameTopics(before), counts, new Map()),
        );
        const sizes = [...assignment.values()].map((owned) => owned.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('moves as little as balance allows', () => {
    fc.assert(
      fc.property(ids, ids, topics, (before, after, counts) => {
        const previous = assignPartitions(sameTopics(before), counts, new Map());
        const next = assignPartitions(sameTopics(after), counts, previous);
        const floor = Math.floor(partitionsOf(counts).length / after.length);
        const extra = partitionsOf(counts).length % after.length;
        const held = after.map((id) => previous.get(id)?.length ?? 0);
        const most =
          held.reduce((sum, count) => sum + Math.min(count, floor), 0) +
          Math.min(extra, held.filter((count) => count > floor).length);
        expect(staying(previous, next)).toBe(most);
      }),
    );
  });

  it('moves no partition twice when one member leaves and another comes', () => {
    fc.assert(
      fc.property(ids, fc.nat(9), topics, (members, index, counts) => {
        const stopped = members[index % members.length];
        const others = members.filter((id) => id !== stopped);
        fc.pre(others.length > 0);
        const first = assignPartitions(sameTopics(members), counts, new Map());
        const without = assignPartitions(sameTopics(others), counts, first);
        const after = assignPartitions(sameTopics([...others, 'new']), counts, without);
        const taken = new Set((first.get(stopped ?? '') ?? []).map(partitionName));
        // What the stopped one had went to another; what the new one got, others had all along.
        expect((after.get('new') ?? []).filter((partition) => taken.has(partitionName(partition)))).toEqual([]);
      }),
    );
  });

  it('does not depend on the order of its arguments', () => {
    fc.assert(
      fc.property(mixed, topics, mixed, (members, counts, before) => {
        const previous = assignPartitions(before, counts, new Map());
        const again = assignPartitions(
          [...members].reverse(),
          new Map([...counts].reverse()),
          new Map([...previous].reverse()),
        );
        expect([...again]).toEqual([...assignPartitions(members, counts, previous)]);
      }),
    );
  });

  it('spreads each topic over the members', () => {
    const assignment = assignPartitions(
      sameTopics(['a', 'b']),
      new Map([
        ['orders', 2],
        ['payments', 2],
      ]),
      new Map(),
    );
    expect(assignment.get('a')?.map(partitionName)).toEqual(['orders/0', 'payments/0']);
  });

  it('deals topics with the fewest members first, and evens out with the others', () => {
    // given a topic that only a takes, and one that both take
    for (const [alone, shared] of [
      ['mails', 'orders'],
      ['orders', 'mails'],
    ] as const) {
      const counts = new Map([
        [alone, 1],
        [shared, 1],
      ]);
      const members = [
        { id: 'a', topics: [alone, shared] },
        { id: 'b', topics: [shared] },
      ];
      // when, then the one that has less gets what both could have
      const assignment = assignPartitions(members, counts, new Map());
      expect([...assignment].map(([id, owned]) => [id, owned.map(partitionName)])).toEqual([
        ['a', [`${alone}/0`]],
        ['b', [`${shared}/0`]],
      ]);
    }
  });

  it('is empty for a topic that no member takes, and for a group without members', () => {
    const counts = new Map([['orders', 2]]);
    expect(assignPartitions([{ id: 'a', topics: [] }], counts, new Map())).toEqual(new Map([['a', []]]));
    expect(assignPartitions([], counts, new Map())).toEqual(new Map());
  });

  it('gives a partition that a plan names twice to one of the two', () => {
    const twice = [{ topic: 'orders', partition: 0 }];
    const counts = new Map([['orders', 2]]);
    for (const previous of [
      new Map([
        ['b', twice],
        ['a', twice],
      ]),
      new Map([
        ['a', twice],
        ['b', twice],
      ]),
    ]) {
      const assignment = assignPartitions(sameTopics(['a', 'b']), counts, previous);
      expect([...assignment].map(([id, owned]) => [id, owned.map(partitionName)])).toEqual([
        ['a', ['orders/0']],
        ['b', ['orders/1']],
      ]);
    }
  });
});

function partitionsOf(counts: ReadonlyMap<string, number>): TopicPartition[] {
  return [...counts].flatMap(([topic, count]) =>
    Array.from({ length: count }, (_, partition) => ({ topic, partition })),
  );
}

function namesOf(assignment: Assignment): string[] {
  return [...assignment.values()].flat().map(partitionName);
}

function staying(previous: Assignment, next: Assignment): number {
  let count = 0;
  for (const [id, owned] of next) {
    const before = new Set((previous.get(id) ?? []).map(partitionName));
    count += owned.filter((partition) => before.has(partitionName(partition))).length;
  }
  return count;
}
