import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a consumer whose handlers are fast', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('handles one half of what it may hold while Redis works on the other', async () => {
    // given a hundred messages that wait
    const { broker, connection, close } = await openBroker(server, ownPrefix());
    await broker.declare({ queues: [{ name: 'work' }] });
    const bodies = Array.from({ length: 100 }, (_, body) => body);
    await broker.publishBatch(bodies.map((body) => ({ exchange: '', routingKey: 'work', body })));
    // when they are handled, a dozen held at most, and noted whether a command is under way
    const client = connection.commands;
    const isAsked = (): boolean =>
      (client instanceof Redis ? [client] : client.nodes()).some(({ commandQueue }) => commandQueue.length > 0);
    const order: unknown[] = [];
    let overlapping = 0;
    const handler = (body: unknown): void => {
      order.push(body);
      if (isAsked()) overlapping++;
    };
    const consumer = broker.consumer({ queue: 'work', concurrency: 6, prefetch: 12, handler });
    await consumer.start();
    await waitFor(async () => (await broker.queue('work').counts()).unacked === 0 && order.length === 100, {
      what: 'all to be settled',
    });
    // then nearly all were, in their order, while the next turn was under way
    expect(order).toEqual(bodies);
    expect(overlapping).toBeGreaterThan(80);
    await close();
  });
});
