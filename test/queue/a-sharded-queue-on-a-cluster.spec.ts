import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisCluster, startCluster, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';
import { spawnConsumer } from './consuming.js';

describe('a sharded queue on a cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster({ replicasPerMaster: 0 });
  });
  afterAll(stopEverything);

  it('stands on different masters, is handled once each in the order of its keys, and replies to requests', async () => {
    // given
    const prefix = ownPrefix();
    const [publishing, consuming] = [await openBroker(cluster, prefix), await openBroker(cluster, prefix)];
    const { broker } = publishing;
    await broker.declare({
      exchanges: [{ name: 'e', type: 'topic' }],
      queues: [{ name: 'q', shards: 6 }],
      bindings: [{ exchange: 'e', queue: 'q', routingKey: '#' }],
    });
    const masters = await Promise.all(
      Array.from({ length: 6 }, (_, shard) => cluster.masterOf(`${prefix}:{queue:q:${shard}}:settings`)),
    );
    expect(new Set(masters).size).toBe(3);
    const seen: { key: string; n: number }[] = [];
    const handler = (payload: unknown) => {
      if (typeof payload === 'string') return `${payload}!`;
      seen.push(payload as { key: string; n: number });
      return undefined;
    };
    for (let n = 0; n < 2; n++) await consuming.broker.consumer({ queue: 'q', concurrency: 1, handler }).start();
    // when
    const keys = Array.from({ length: 12 }, (_, n) => `key ${n}`);
    for (let n = 0; n < 20; n++) {
      const receipts = await Promise.all(
        keys.map((key) => broker.publish('e', key, { key, n }, { shardKey: key, mandatory: true })),
      );
      expect(receipts.every(({ queues }) => queues.length === 1 && queues[0] === 'q')).toBe(true);
    }
    const answers = await Promise.all(keys.map((key) => broker.request('', 'q', key)));
    // then
    expect(answers).toEqual(keys.map((key) => `${key}!`));
    await waitFor(() => seen.length >= 240, { what: 'all to be handled' });
    for (const key of keys) {
      const own = seen.filter((one) => one.key === key).map(({ n }) => n);
      expect(new Set(own).size).toBe(own.length);
      expect(own).toHaveLength(20);
    }
    await waitFor(async () => (await broker.queue('q').counts()).unacked === 0, { what: 'all to be settled' });
    await consuming.close();
    // and: one consumer keeps the order of each key
    const order = new Map<string, number[]>();
    const again = await openBroker(cluster, prefix);
    for (let n = 0; n < 20; n++) {
      await Promise.all(keys.map((key) => broker.sendToQueue('q', { key, n }, { shardKey: key })));
    }
    let count = 0;
    const inOrder = (payload: unknown) => {
      const { key, n } = payload as { key: string; n: number };
      order.set(key, [...(order.get(key) ?? []), n]);
      count++;
    };
    await again.broker.consumer({ queue: 'q', concurrency: 1, handler: inOrder }).start();
    await waitFor(() => count === 240, { what: 'all of those' });
    for (const key of keys) expect(order.get(key)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    await again.close();
    await publishing.close();
  });

  it("has a killed consumer's messages handled by another, on any of the masters", async () => {
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(cluster, prefix);
    await broker.declareQueue({ name: 'q', shards: 6 });
    const victim = await spawnConsumer(cluster, prefix, 'q', { leaseMs: 3_600_000, concurrency: 12 });
    for (let n = 0; n < 12; n++) await broker.sendToQueue('q', { hang: true, n });
    await waitFor(() => victim.lines.filter((line) => line.startsWith('got')).length === 12, {
      what: 'all to be held',
    });
    const seen = new Set<unknown>();
    const handler = (payload: unknown) => void seen.add((payload as { n: number }).n);
    await broker.consumer({ queue: 'q', leaseMs: 3_600_000, handler }).start();
    await victim.kill();
    await waitFor(() => seen.size === 12, { what: 'them to be handled elsewhere', timeoutMs: 20_000 });
    await close();
  });
});
