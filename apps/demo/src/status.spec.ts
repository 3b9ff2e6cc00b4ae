import { describe, expect, it } from '@jest/globals';
import type { PartitionSnapshot, QueueSnapshot, Snapshot, TopicSnapshot } from '@millrace/admin';
import { type Sample, statusOf } from './status.js';

const settings = {
  codec: 'json',
  compression: 'none',
  retention: { unread: 'expire' },
  timestamps: 'create',
  id: 1,
  version: 1,
} as const;

function topic(name: string, partitions: readonly PartitionSnapshot[]): TopicSnapshot {
  const deadLetter = { topic: `${name}.dead-letters` };
  return { topic: { ...settings, name, partitions: partitions.length, deadLetter }, partitions };
}

function partition(number: number, [start, committed, end]: readonly [number, number, number]): PartitionSnapshot {
  const nextTimestamp = committed < end ? 9000 : undefined;
  const groups = [{ group: 'desk', committed, owner: 'a', isOwnerKnown: true, nextTimestamp }];
  return { partition: number, at: 10_000, start, end, bytes: 0, expiredUnread: new Map(), groups };
}

function queue(name: string, ready: number): QueueSnapshot {
  const empty = { unacked: 0, delayed: 0, dying: 0, parked: 0, completed: 0, consumers: 1, bytes: 0, isPaused: false };
  const declared = {
    name,
    overflow: 'drop-head',
    priorities: 1,
    singleActiveConsumer: false,
    exclusive: false,
  } as const;
  const rest = { autoDelete: false, deliveryLimit: 20, deduplicationWindowMs: 0 };
  return {
    queue: name,
    settings: { ...declared, ...rest },
    at: 10_000,
    messages: ready,
    ready,
    ...empty,
    oldestAgeMs: 5,
  };
}

function sample(at: number, snapshot: Partial<Snapshot>, handled = 0): Sample {
  const groups = [{ group: 'desk', members: 2, generation: 1 }];
  return {
    at,
    snapshot: { topics: [], queues: [], groups, unread: [], ...snapshot },
    handled: new Map([['emails', handled]]),
  };
}

describe('the status', () => {
  it('adds partitions up, and takes rates from what changed', () => {
    const before = sample(1000, { topics: [topic('orders', [partition(0, [0, 10, 10]), partition(1, [0, 0, 0])])] });
    const now = sample(3000, { topics: [topic('orders', [partition(0, [4, 12, 20]), partition(1, [0, 3, 3])])] });
    expect(statusOf(now, before).topics).toEqual([
      {
        name: 'orders',
        partitions: 2,
        records: 19,
        perSecond: 6.5,
        groups: [{ name: 'desk', members: 2, lag: 8, lagMs: 1000, perSecond: 2.5 }],
      },
    ]);
  });

  it('knows no rate at the first look', () => {
    const now = sample(1000, { topics: [topic('orders', [partition(0, [0, 0, 1])])], queues: [queue('emails', 1)] }, 7);
    const { topics, queues } = statusOf(now);
    expect([topics[0]?.perSecond, topics[0]?.groups[0]?.perSecond, queues[0]?.perSecond]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('counts what a queue has handled, and shows a restarted service as 0', () => {
    const queues = [queue('emails', 3)];
    expect(statusOf(sample(2000, { queues }, 30), sample(0, { queues }, 10)).queues[0]).toMatchObject({
      name: 'emails',
      waiting: 3,
      oldestMs: 5,
      perSecond: 10,
    });
    expect(statusOf(sample(2000, { queues }, 1), sample(0, { queues }, 10)).queues[0]?.perSecond).toBe(0);
  });

  it('keeps dead letters apart', () => {
    const topics = [
      topic('orders', [partition(0, [0, 0, 0])]),
      topic('orders.dead-letters', [partition(0, [1, 1, 3])]),
    ];
    const queues = [queue('emails', 1), queue('emails.dead-letters', 4)];
    const { topics: shown, queues: shownQueues, deadLetters } = statusOf(sample(0, { topics, queues }));
    expect([shown.map(({ name }) => name), shownQueues.map(({ name }) => name)]).toEqual([['orders'], ['emails']]);
    expect(deadLetters).toEqual([
      { name: 'orders.dead-letters', count: 2 },
      { name: 'emails.dead-letters', count: 4 },
    ]);
  });
});
