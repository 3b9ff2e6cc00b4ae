import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { type RedisCluster, startCluster, stopEverything, waitFor } from '@millrace/testing';
import { moveSlot } from './slot-migration.js';

describe('while a slot is moved to another master', () => {
  let cluster: RedisCluster;
  let connection: RedisConnection;
  beforeAll(async () => {
    cluster = await startCluster({ replicasPerMaster: 0 });
    connection = await new RedisConnection(cluster.connection).open();
  });
  afterAll(async () => {
    connection.close();
    await stopEverything();
  });

  it("a partition's records are all appended, in order, and all handled", async () => {
    // given: a producer and a group at work on one partition
    const log = new Log(connection);
    await log.declareTopic({ name: 'orders' });
    const handled: number[] = [];
    const handler = (value: unknown) => void handled.push(Number(value));
    await log.consumer({ group: 'g', topics: 'orders', ordering: 'partition', heartbeatMs: 100, handler }).start();
    const producer = log.producer();
    let sent = 0;
    const burst = async () => {
      await producer.sendBatch(Array.from({ length: 20 }, () => ({ topic: 'orders', value: sent++ })));
    };
    await burst();
    // when: the slot goes, two keys at a time, with sends under way
    const sends: Promise<void>[] = [];
    const moved = await moveSlot(cluster, 'millrace:{log:orders:0}:records', async () => void sends.push(burst()));
    await Promise.all([...sends, burst()]);
    // then
    expect(moved).toBeGreaterThan(2);
    await waitFor(() => new Set(handled).size === sent, { what: `${sent} records to be handled`, timeoutMs: 20_000 });
    const first = [...new Set(handled)];
    expect(first).toEqual(first.toSorted((a, b) => a - b));
    expect(await log.groups.lag('g')).toMatchObject([{ end: sent }]);
    await log.close();
  });

  it("a queue's messages are all confirmed and all handled", async () => {
    // given: a publisher and a consumer at work on one queue
    const broker = new Broker(connection);
    await broker.declareQueue({ name: 'mail' });
    const handled = new Set<unknown>();
    await broker.consumer({ queue: 'mail', handler: (value) => void handled.add(value) }).start();
    let published = 0;
    const burst = async () => {
      await broker.publishBatch(
        Array.from({ length: 20 }, () => ({ exchange: '', routingKey: 'mail', body: published++ })),
      );
    };
    await burst();
    // when
    const publishes: Promise<void>[] = [];
    const moved = await moveSlot(cluster, 'millrace:{queue:mail}:settings', async () => void publishes.push(burst()));
    await Promise.all([...publishes, burst()]);
    // then
    expect(moved).toBeGreaterThan(2);
    await waitFor(() => handled.size === published, { what: `${published} messages to be handled`, timeoutMs: 20_000 });
    await waitFor(async () => (await broker.queue('mail').counts()).unacked === 0, { what: 'nothing to be left' });
    await broker.close();
  });

  it('consumers that are busy, and so wait nowhere, say where they are connected now: none is taken for dead', async () => {
    // given: two processes that have as many messages as they may, and have been connected with every master before
    const broker = new Broker(connection);
    await broker.declareQueue({ name: 'slow' });
    await broker.publishBatch([1, 2].map((body) => ({ exchange: '', routingKey: 'slow', body })));
    const key = 'millrace:{queue:slow}:consumer-info';
    const losses: unknown[] = [];
    const ends: (() => void)[] = [];
    const processes = await Promise.all(
      [1, 2].map(async () => {
        const own = await new RedisConnection(cluster.connection).open();
        const other = new Broker(own);
        other.events.on('lease-lost', (loss) => losses.push(loss));
        const handler = () => new Promise<void>((resolve) => ends.push(resolve));
        await other.consumer({ queue: 'slow', concurrency: 1, handler }).start();
        return { other, own };
      }),
    );
    await waitFor(() => ends.length === 2, { what: 'both to be busy' });
    // when
    await moveSlot(cluster, key, () => Promise.resolve());
    // then: each names the new master, and connections that are open there
    const client = (await cluster.masterOf(key)).client();
    const server = /run_id:(\w+)/.exec(await client.info('server'))?.[1];
    const areRight = async () => {
      const registered = (await client.hvals(key)).map(
        (json) => JSON.parse(json) as { server: string; connections: number[] },
      );
      const open = new Set(
        [...String(await client.call('CLIENT', 'LIST')).matchAll(/^id=(\d+)/gm)].map(([, id]) => Number(id)),
      );
      return (
        registered.length === 2 &&
        registered.every((one) => one.server === server && one.connections.some((id) => open.has(id)))
      );
    };
    await waitFor(areRight, { what: 'both to say which connections they have now' });
    expect(losses).toEqual([]);
    for (const end of ends) end();
    for (const { other, own } of processes) {
      await other.close();
      own.close();
    }
    await broker.close();
  });
});
