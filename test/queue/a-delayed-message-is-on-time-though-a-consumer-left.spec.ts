import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(stopEverything);

it('the timer for the next delayed message goes to another consumer when the one that has it stops', async () => {
  // given two idle consumers, of which the first has the timer; their heartbeats come long after the test
  const prefix = ownPrefix();
  const { broker, close } = await openBroker(server, prefix);
  await broker.declareQueue({ name: 'q' });
  const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
  const start = async (idle: number) => {
    const consumer = broker.consumer({ queue: 'q', leaseMs: 3_600_000, handler: () => undefined });
    await consumer.start();
    await waitFor(async () => (await redis.zcard('idle')) === idle, { what: 'it to wait' });
    return consumer;
  };
  await broker.sendToQueue('q', 'later', { delayMs: 3_600_000 });
  const first = await start(1);
  const second = await start(2);
  expect(await redis.hget('state', 'keeper')).toBe(first.status.consumer);

  // when the first stops
  await first.stop();

  // then the second has the timer
  const hasIt = async () => (await redis.hget('state', 'keeper')) === second.status.consumer;
  await waitFor(hasIt, { what: 'the second consumer to have the timer' });
  await close();
});
