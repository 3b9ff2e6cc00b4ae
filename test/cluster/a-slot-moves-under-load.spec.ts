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
});
