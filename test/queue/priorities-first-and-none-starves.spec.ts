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
});
