import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ConsumerInput } from '@millrace/log';
import { waitFor } from '@millrace/testing';
import { LogOnRedis } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

describe('a pattern takes no dead letters', () => {
  it('of its own group, nor of another', async () => {
    // given groups that give up every record of a pattern's topics, one of them into a topic of its own choice
    const own = await reading('own', { topics: /^orders\./ });
    const other = await reading('other', { topics: /^orders\./, deadLetter: 'orders.given-up' });
    await redis.log.declareTopic({ name: 'orders.placed' });
    await redis.log.declareTopic({ name: 'orders.paid', deadLetter: { topic: 'orders.graveyard' } });

    // when there are dead letters, in topics that the pattern matches
    const producer = redis.log.producer();
    await producer.send({ topic: 'orders.placed', value: 'placed' });
    await producer.send({ topic: 'orders.paid', value: 'paid' });
    for (const topic of ['orders.placed.dead-letters', 'orders.graveyard', 'orders.given-up']) await exists(topic);
    await redis.log.declareTopic({ name: 'orders.shipped' });
    await producer.send({ topic: 'orders.shipped', value: 'shipped' });

    // then neither group takes them, though it takes a topic that came later
    await waitFor(() => own.handled.includes('orders.shipped') && other.handled.includes('orders.shipped'), {
      what: 'the later topic',
    });
    for (const group of ['own', 'other']) await isRead(group);
    for (const { handled } of [own, other]) {
      expect(handled.toSorted()).toEqual(['orders.paid', 'orders.placed', 'orders.shipped']);
    }
    expect(topicsOf(own)).not.toContain('orders.placed.dead-letters');
    expect(topicsOf(own)).not.toContain('orders.graveyard');
    await Promise.all([own.consumer.stop(), other.consumer.stop()]);
  });

  it('unless it names them', async () => {
    // given topics with dead letters
    await redis.log.declareTopic({ name: 'mails.sent' });
    await redis.log.declareTopic({ name: 'mails.sent.dead-letters' });
    await redis.log.declareTopic({ name: 'mails.lost', deadLetter: { topic: 'mails.void' } });
    await redis.log.declareTopic({ name: 'mails.void' });

    // when patterns name what is for dead letters, and a list does
    const byKind = await reading('by-kind', { topics: /^mails\..*dead-letters$/ });
    const byName = await reading('by-name', { topics: /^mails\.(void|lost)$|^mails\.void$/ });
    const listed = await reading('listed', { topics: ['mails.void', 'mails.sent.dead-letters'] });

    // then they are taken
    expect(topicsOf(byKind)).toEqual(['mails.sent.dead-letters']);
    expect(topicsOf(byName)).toEqual(['mails.lost', 'mails.void']);
    expect(topicsOf(listed)).toEqual(['mails.sent.dead-letters', 'mails.void']);
    await Promise.all([byKind, byName, listed].map(({ consumer }) => consumer.stop()));
  });

  it('also where a member of its group lists them', async () => {
    // given a member that reads the dead letters by name, and one of the same group with a pattern
    await redis.log.declareTopic({ name: 'bills.due', partitions: 2 });
    await redis.log.declareTopic({ name: 'bills.due.dead-letters', partitions: 4 });
    const byName = await reading('mixed', { topics: 'bills.due.dead-letters' });

    // when the group plans with both
    const byPattern = await reading('mixed', { topics: /^bills\./ });

    // then each has what it asked for
    await waitFor(() => byPattern.consumer.assignment.length === 2, { what: 'the plan' });
    expect(topicsOf(byPattern)).toEqual(['bills.due']);
    expect(byName.consumer.assignment).toHaveLength(4);
    await Promise.all([byName.consumer.stop(), byPattern.consumer.stop()]);
  });
});

/** A running consumer that gives up every record, and the topics it was handed records of. */
async function reading(group: string, options: Pick<ConsumerInput, 'topics' | 'deadLetter'>) {
  const handled: string[] = [];
  const consumer = redis.log.consumer({
    ...options,
    group,
    retry: false,
    topicRefreshMs: 100,
    handler: (_value, { topic }) => {
      handled.push(topic);
      throw new Error('never');
    },
  });
  await consumer.start();
  return { consumer, handled };
}

function topicsOf({ consumer }: Awaited<ReturnType<typeof reading>>): string[] {
  return [...new Set(consumer.assignment.map(({ topic }) => topic))].sort();
}

async function exists(topic: string): Promise<void> {
  await waitFor(async () => (await redis.log.listTopics()).some(({ name }) => name === topic), { what: topic });
}

/** Until nothing is left of what a group takes, whatever became of it. */
async function isRead(group: string): Promise<void> {
  await waitFor(async () => (await redis.log.groups.lag(group)).every(({ lag }) => lag === 0), {
    what: `${group} to end`,
  });
}
