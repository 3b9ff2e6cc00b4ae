import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(stopEverything);

it('a consumer that waits for a delayed message is woken for one that is due before it', async () => {
  // given a consumer whose next message is due in an hour, and whose heartbeat comes long after what is to come
  const prefix = ownPrefix();
  const { broker, close } = await openBroker(server, prefix);
  await broker.declareQueue({ name: 'q' });
  const seen: unknown[] = [];
  const handler = (payload: unknown) => void seen.push(payload);
  await broker.consumer({ queue: 'q', leaseMs: 3_600_000, handler }).start();
  await broker.sendToQueue('q', 'later', { delayMs: 3_600_000 });
  const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
  await waitFor(async () => (await redis.zcard('idle')) === 1, { what: 'it to wait' });
  // when another is due in a moment, and one after it, but before the first
  await broker.sendToQueue('q', 'second', { delayMs: 300 });
  await broker.sendToQueue('q', 'first', { delayMs: 100 });
  // then they are handled at their times
  await waitFor(() => seen.length === 2, { what: 'both to be handled', timeoutMs: 5000 });
  expect(seen).toEqual(['first', 'second']);
  await close();
});
