import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(stopEverything);

it('a consumer that is woken while it has no registration takes messages when it has one again', async () => {
  // given a consumer that waits, and whose heartbeat finds that Redis has lost its queue
  const prefix = ownPrefix();
  const { broker, close } = await openBroker(server, prefix);
  const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
  const topology = server.client({ keyPrefix: `${prefix}:{topology}:` });
  await broker.declareQueue({ name: 'q' });
  const seen: unknown[] = [];
  await broker.consumer({ queue: 'q', leaseMs: 500, handler: (payload) => void seen.push(payload) }).start();
  await waitFor(async () => (await redis.zcard('idle')) === 1, { what: 'it to wait' });
  const lost = new Promise((resolve) => broker.events.on('lease-lost', resolve));
  await redis.unlink('settings', 'state', 'consumers', 'consumer-info', 'idle');
  await topology.unlink('meta', 'exchanges', 'queues', 'bindings');
  await lost;

  // when it is woken before there is a queue again
  await redis.rpush('wake', 'another-consumer');
  await waitFor(async () => (await redis.llen('wake')) === 0, { what: 'it to be woken' });
  await broker.declareQueue({ name: 'q' });

  // then it handles what comes
  await broker.sendToQueue('q', 1);
  await waitFor(() => seen.length === 1, { what: 'the message' });
  expect(seen).toEqual([1]);
  await close();
});
