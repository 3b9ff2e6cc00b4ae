import { afterAll, beforeAll, expect } from '@jest/globals';
import { type RedisServer, startProxy, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { openBroker, ownPrefix } from './broker.js';

/** Longer than a consumer looks twice at another. */
const bothLooksMs = 400;
/** A consumer lets the others come back for this time after its own connection is back. */
const settlingMs = 3000;

onOneServer('proxy').describe('consumers all of whose connections are cut', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  onOneServer('proxy').it(
    'keep their leases, also one that comes back later',
    async () => {
      let outage = await cutAndBack(server);
      // A machine that stands still makes the outage longer than is promised for.
      while (outage.tookMs >= settlingMs) outage = await cutAndBack(server);
      expect(outage).toMatchObject({ lost: [], handled: [0, 1], after: outage.before });
    },
    120_000,
  );
});

/** Two processes handle a message each; all connections are cut, and the first is on duty before the second is back. */
async function cutAndBack(server: RedisServer) {
  const prefix = ownPrefix();
  const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
  const proxies = [await startProxy(server), await startProxy(server)] as const;
  const brokers = [await openBroker(proxies[0], prefix), await openBroker(proxies[1], prefix)] as const;
  await brokers[0].broker.declareQueue({ name: 'q' });
  const lost: unknown[] = [];
  const handled: unknown[] = [];
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const handler = async (payload: unknown): Promise<void> => {
    handled.push(payload);
    await released;
  };
  for (const { broker } of brokers) {
    broker.events.on('lease-lost', (event) => lost.push(event));
    await broker.consumer({ queue: 'q', concurrency: 1, prefetch: 1, handler }).start();
    const n = handled.length;
    await broker.sendToQueue('q', n);
    await waitFor(() => handled.length > n, { what: 'its message to run' });
  }
  const before = await redis.zrange('consumers', '0', '-1');

  const cutAt = performance.now();
  proxies[1].refuse();
  for (const proxy of proxies) proxy.cut();
  await redis.hdel('state', 'duty-at');
  await waitFor(() => redis.hexists('state', 'duty-at'), { what: 'the first to be on duty' });
  const enoughAt = performance.now() + bothLooksMs;
  await waitFor(() => performance.now() > enoughAt, { what: 'both looks' });
  await proxies[1].accept();
  release();
  await waitFor(async () => (await redis.hlen('messages')) === 0, { what: 'both messages to be acknowledged' });
  const tookMs = performance.now() - cutAt;

  const after = await redis.zrange('consumers', '0', '-1');
  await Promise.all(brokers.map(({ close }) => close()));
  return { tookMs, lost, handled, before, after };
}
