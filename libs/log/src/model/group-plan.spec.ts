import { describe, expect, it } from '@jest/globals';
import { decodePlan, emptyPlan, encodePlan, type GroupPlan, nextPlan, parsePlan, plannedTopics } from './group-plan.js';
import { type Subscription, subscribeTo } from './subscription.js';

const orders = subscribeTo(['orders']);

function plan(previous: GroupPlan, members: Record<string, Subscription>, known: Record<string, number>, id = 1) {
  const subscriptions = new Map(Object.entries(members));
  const dead = new Set(Object.keys(known).filter((name) => name.endsWith('.dead-letters')));
  const topics = plannedTopics(
    previous,
    subscriptions.values(),
    new Map(Object.entries(known).map(([name, partitions]) => [name, { id, partitions }])),
    dead,
  );
  return nextPlan(previous, subscriptions, topics, dead);
}

describe('the plan of a group', () => {
  it('is the same object when nothing changed, so that no member writes it again', () => {
    const first = plan(emptyPlan, { a: orders, b: orders }, { orders: 4 });
    expect(plan(first, { b: orders, a: orders }, { orders: 4, others: 9 })).toBe(first);
  });

  it('changes with the members, their subscriptions and the partitions', () => {
    const first = plan(emptyPlan, { a: orders }, { orders: 2, mails: 1 });
    expect(plan(first, { a: orders, b: orders }, { orders: 2 }).assignment.get('b')).toHaveLength(1);
    expect(plan(first, { a: subscribeTo(/./) }, { orders: 2, mails: 1 }).assignment.get('a')).toHaveLength(3);
    expect(plan(first, { a: orders }, { orders: 3 }).assignment.get('a')).toHaveLength(3);
    expect(plan(first, { a: orders }, {}).assignment.get('a')).toEqual([]);
  });

  it('remembers how many partitions a topic had when the group first saw it', () => {
    const first = plan(emptyPlan, { a: subscribeTo(/^o/) }, { orders: 2 });
    const later = plan(first, { a: subscribeTo(/^o/) }, { orders: 5, offers: 3 });
    expect(later.topics).toEqual(
      new Map([
        ['offers', { id: 1, partitions: 3, initial: 0 }],
        ['orders', { id: 1, partitions: 5, initial: 2 }],
      ]),
    );
  });

  it('takes a topic that was deleted and declared again for another one, to be read from its beginning', () => {
    const first = plan(emptyPlan, { a: orders }, { orders: 2 }, 1);
    const later = plan(first, { a: orders }, { orders: 2 }, 2);
    expect(later.topics.get('orders')).toEqual({ id: 2, partitions: 2, initial: 0 });
    expect(later.assignment).toEqual(first.assignment);
  });

  it('of an older version, which names no ids, is taken on as it is', () => {
    const first = plan(emptyPlan, { a: orders }, { orders: 2 });
    const older = decodePlan(encodePlan(first).replace('[2,2,1]', '[2,2]'));
    expect(older.topics.get('orders')).toEqual({ id: 0, partitions: 2, initial: 2 });
    expect(plan(older, { a: orders }, { orders: 2 }, 7).topics.get('orders')).toEqual({
      id: 7,
      partitions: 2,
      initial: 2,
    });
  });

  it('is read back as it was written', () => {
    const first = plan(emptyPlan, { a: orders, b: subscribeTo(/ord|mail/i) }, { orders: 4, mails: 3 });
    expect(decodePlan(encodePlan(first))).toEqual(first);
  });

  it('takes a pattern without the flags that make it stateful', () => {
    expect(subscribeTo(/^orders/gi)).toEqual({ kind: 'pattern', source: '^orders', flags: 'i' });
  });

  it('has its members and topics in one order, in every process', () => {
    const made = plan(emptyPlan, { b: subscribeTo(/./), a: orders }, { orders: 1, mails: 1 });
    expect([...made.members.keys()]).toEqual(['a', 'b']);
    expect([...made.topics.keys()]).toEqual(['mails', 'orders']);
  });

  it('changes when a member takes other topics, or is replaced by another', () => {
    const known = { orders: 2, mails: 2 };
    const first = plan(emptyPlan, { a: orders }, known);
    expect(plan(first, { a: subscribeTo(['mails']) }, known).assignment.get('a')).toHaveLength(2);
    expect([...plan(first, { b: orders }, known).assignment.keys()]).toEqual(['b']);
    expect(plan(first, { a: subscribeTo(['orders', 'none']) }, known)).not.toBe(first);
  });

  it('reads a topic that a member waited for from its beginning, and one that no member asked for from its end', () => {
    const waiting = plan(emptyPlan, { a: subscribeTo(['later']) }, {});
    expect(plan(waiting, { a: subscribeTo(['later']) }, { later: 3 }).topics.get('later')?.initial).toBe(0);
    expect(plan(waiting, { a: subscribeTo(['later', 'other']) }, { other: 3 }).topics.get('other')?.initial).toBe(3);
    const unreadable = { ...waiting, members: new Map([['a', '{']]) };
    expect(plan(unreadable, { a: subscribeTo(['later']) }, { later: 3 }).topics.get('later')?.initial).toBe(3);
  });

  it('is written in runs of partitions of one topic', () => {
    const assignment = new Map([
      [
        'a',
        [
          { topic: 'x', partition: 0 },
          { topic: 'x', partition: 2 },
          { topic: 'y', partition: 1 },
          { topic: 'x', partition: 3 },
        ],
      ],
    ]);
    const text = encodePlan({ ...emptyPlan, assignment });
    expect(JSON.parse(text).assignment).toEqual({
      a: [
        ['x', 0, 2],
        ['y', 1],
        ['x', 3],
      ],
    });
    expect(decodePlan(text).assignment).toEqual(assignment);
  });

  it('that cannot be read is none', () => {
    const first = plan(emptyPlan, { a: orders }, { orders: 2 });
    expect(parsePlan(encodePlan(first))).toEqual(first);
    for (const text of ['{', '{}', 'null']) expect(parsePlan(text)).toBe(emptyPlan);
  });
});
