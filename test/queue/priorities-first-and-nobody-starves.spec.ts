import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a queue with priorities', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('delivers higher ones first, and yet the lowest do not wait for ever', async () => {
    // given
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q', priorities: 3 });
    const publish = (priority: number, count: number) =>
      broker.publishBatch(
        Array.from({ length: count }, () => ({
          exchange: '',
          routingKey: 'q',
          body: priority,
          properties: { priority },
        })),
      );
    await publish(0, 100);
    await publish(1, 100);
    await publish(2, 100);
    // when
    const order: number[] = [];
    await broker
      .consumer({ queue: 'q', concurrency: 1, prefetch: 1, handler: (priority) => void order.push(Number(priority)) })
      .start();
    await waitFor(() => order.length === 300, { what: 'all to be handled' });
    // then: nine of ten are of the highest level there is, every tenth of the lowest
    const highFirst = order.slice(0, 100);
    expect(highFirst.filter((priority) => priority === 2)).toHaveLength(90);
    expect(highFirst.filter((priority) => priority === 0)).toHaveLength(10);
    expect(order.slice(-60).every((priority) => priority === 0)).toBe(true);
    await close();
  });

  it('keeps the priority of what is retried or given back', async () => {
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q', priorities: 2 });
    await broker.sendToQueue('q', 'high', { priority: 1 });
    const seen: unknown[] = [];
    const consumer = broker.consumer({
      queue: 'q',
      concurrency: 1,
      prefetch: 1,
      retry: { maxRetries: 1, backoff: 1 },
      handler: (payload, { attempt }) => {
        seen.push(`${payload} ${attempt}`);
        if (payload === 'high' && attempt === 1) throw new Error('once more');
      },
    });
    await consumer.start();
    await waitFor(() => seen.length === 2, { what: 'the second attempt' });
    expect(seen).toEqual(['high 1', 'high 2']);
    await close();
  });
});
