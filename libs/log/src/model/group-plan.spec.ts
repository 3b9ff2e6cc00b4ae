import { describe, expect, it } from '@jest/globals';
import { decodePlan, emptyPlan, encodePlan, type GroupPlan, nextPlan, plannedTopics } from './group-plan.js';
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
  it('is the same object when nothing changed, so that nobody writes it again', () => {
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

  it('survives being written down', () => {
    const first = plan(emptyPlan, { a: orders, b: subscribeTo(/ord|mail/i) }, { orders: 4, mails: 3 });
    expect(decodePlan(encodePlan(first))).toEqual(first);
  });

  it('takes a pattern without what would make it remember', () => {
    expect(subscribeTo(/^orders/gi)).toEqual({ kind: 'pattern', source: '^orders', flags: 'i' });
  });
});
