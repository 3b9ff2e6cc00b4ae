import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('several handlers of one queue', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  async function topicQueue() {
    const opened = await openBroker(server, ownPrefix());
    await opened.broker.declare({
      exchanges: [{ name: 'e', type: 'topic' }],
      queues: [{ name: 'q' }],
      bindings: [{ exchange: 'e', queue: 'q', routingKey: '#' }],
    });
    return opened;
  }

  it('all run when their patterns match, and only those that failed run again', async () => {
    // given
    const { broker, close } = await topicQueue();
    const calls: string[] = [];
    const fails = new Set(['billing 1']);
    const handler = (name: string) => (_: unknown, context: { attempt: number; routingKey: string }) => {
      calls.push(`${name} ${context.attempt} ${context.routingKey}`);
      if (fails.has(`${name} ${context.attempt}`)) throw new Error('once more');
    };
    await broker
      .consumer({
        queue: 'q',
        retry: { backoff: 5 },
        handlers: [
          { pattern: 'order.*', handler: handler('orders') },
          { pattern: '#.paid', name: 'billing', handler: handler('billing') },
          { pattern: 'user.#', handler: handler('users') },
        ],
      })
      .start();
    // when
    await broker.publish('e', 'order.paid', {});
    await broker.publish('e', 'user.new', {});
    // then
    await waitFor(() => calls.length === 4, { what: 'four calls' });
    await waitFor(async () => (await broker.queue('q').counts()).unacked === 0, { what: 'both to be settled' });
    expect(calls.sort()).toEqual([
      'billing 1 order.paid',
      'billing 2 order.paid',
      'orders 1 order.paid',
      'users 1 user.new',
    ]);
    await close();
  });

  it('are named in a dead letter when one of them gave up, after the others are done', async () => {
    const { broker, close } = await topicQueue();
    const dead: unknown[] = [];
    let fine = 0;
    await broker
      .consumer({
        queue: 'q',
        retry: { maxRetries: 1, backoff: 5 },
        handlers: [
          { pattern: '#', name: 'good', handler: () => void fine++ },
          { pattern: 'k', name: 'bad', handler: () => Promise.reject(new Error('broken')) },
        ],
      })
      .start();
    await broker.declareQueue({ name: 'q.dead-letters' });
    await broker
      .consumer({ queue: 'q.dead-letters', handler: (_, { deaths }) => void dead.push(deaths[0]?.error?.message) })
      .start();
    await broker.publish('e', 'k', {});
    await waitFor(() => dead.length === 1, { what: 'the dead letter' });
    expect(dead).toEqual(['given up by bad: broken']);
    expect(fine).toBe(1);
    await close();
  });

  it('leave a message to which none of them matches parked, where it can be seen and sent on', async () => {
    // given
    const { broker, close } = await topicQueue();
    const seen: unknown[] = [];
    const first = broker.consumer({ queue: 'q', handlers: [{ pattern: 'known', handler: () => undefined }] });
    await first.start();
    // when
    await broker.publish('e', 'unknown', { n: 1 }, { messageId: 'm' });
    // then
    const queue = broker.queue('q');
    await waitFor(async () => (await queue.counts()).parked === 1, { what: 'it to be parked' });
    const { messages } = await queue.parked();
    expect(messages.map((message) => [message.messageId, message.routingKey, message.payload()])).toEqual([
      ['m', 'unknown', { n: 1 }],
    ]);
    expect(await queue.message('m')).toMatchObject({ state: 'parked' });
    await first.stop();
    await broker.consumer({ queue: 'q', handler: (payload) => void seen.push(payload) }).start();
    expect(await queue.unpark()).toBe(1);
    await waitFor(() => seen.length === 1, { what: 'it to be handled after all' });
    await close();
  });
});

describe('a batch handler', () => {
  afterAll(stopEverything);

  it('has each message of a batch settled by its own result', async () => {
    // given
    const server = await startRedis();
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    const batches: number[] = [];
    const attempts = new Map<unknown, number>();
    await broker
      .consumer({
        queue: 'q',
        retry: { maxRetries: 2, backoff: 5 },
        batch: { maxMessages: 50, maxWaitMs: 20 },
        batchHandler: (messages) => {
          batches.push(messages.length);
          return messages.map(({ payload, context }) => {
            attempts.set(payload, context.attempt);
            return Number(payload) % 10 === 0 && context.attempt === 1
              ? new Error('every tenth fails once')
              : undefined;
          });
        },
      })
      .start();
    // when
    await broker.publishBatch(Array.from({ length: 200 }, (_, body) => ({ exchange: '', routingKey: 'q', body })));
    // then
    await waitFor(
      async () =>
        Object.values(await broker.queue('q').counts())
          .slice(0, 5)
          .every((count) => count === 0),
      { what: 'an empty queue' },
    );
    expect(Math.max(...batches)).toBe(50);
    expect([...attempts].filter(([, attempt]) => attempt === 2)).toHaveLength(20);
    expect(attempts.size).toBe(200);
    await close();
  });
});
