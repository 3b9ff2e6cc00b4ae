import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Log } from '@millrace/log';
import { RedisConnection } from '@millrace/redis';
import { type RedisCluster, startCluster, stopEverything } from '@millrace/testing';
import { times } from './log-on-redis.js';

describe('a log on Redis Cluster', () => {
  let cluster: RedisCluster;
  let connection: RedisConnection;
  let log: Log;
  beforeAll(async () => {
    cluster = await startCluster();
    connection = await new RedisConnection(cluster.connection).open();
    log = new Log(connection);
  });
  afterAll(async () => {
    await log.close();
    connection.close();
    await stopEverything();
  });

  it('spreads its partitions over the nodes, and does there what it does on one server', async () => {
    // given
    const topic = 'orders';
    await log.declareTopic({ name: topic, partitions: 12, retention: { maxRecords: 10 } });
    const producer = log.producer({ maxBatchBytes: 500 });
    // when
    const sent = await Promise.all(
      times(600, (n) => producer.send({ topic, key: `key-${n}`, value: n, timestamp: n })),
    );
    await log.applyRetention(topic);
    // then
    const { partitionStates } = await log.describeTopic(topic);
    expect(partitionStates.reduce((sum, { end }) => sum + end, 0)).toBe(600);
    const holders = await Promise.all(cluster.masters.map((master) => master.client().keys('*:records')));
    expect(holders.every((keys) => keys.length > 0)).toBe(true);
    for (const [partition, { start, end }] of partitionStates.entries()) {
      expect(start).toBeGreaterThan(0);
      expect(start).toBeLessThanOrEqual(end - 10);
      const mine = sent.flatMap((place, n) => (place.partition === partition ? [n] : []));
      const read: unknown[] = [];
      for await (const { value } of log.read({ topic, partition })) read.push(value);
      expect(read).toEqual(mine.slice(start));
      expect(await log.offsetForTimestamp(topic, partition, mine.at(-1)!)).toBe(end - 1);
    }
  });

  it("waits for the replica of each partition's own node with acks: 'all'", async () => {
    // given
    const topic = 'payments';
    await log.declareTopic({ name: topic, partitions: 6 });
    const producer = log.producer({ acks: 'all' });
    // when
    const sent = await Promise.all(times(60, (n) => producer.send({ topic, partition: n % 6, value: n })));
    // then
    expect(sent.map(({ offset }) => offset).toSorted((a, b) => a - b)).toEqual(times(60, (n) => Math.floor(n / 6)));
    const demanding = log.producer({ acks: 'all', minReplicas: 2, replicaTimeoutMs: 1500 });
    await expect(demanding.send({ topic, value: 1 })).rejects.toThrow(/only 1 of 2 replicas confirmed/);
  });

  it('goes on when a node died and its replica took over', async () => {
    // given
    const topic = 'orders';
    const producer = log.producer({ deliveryTimeoutMs: 25_000 });
    const partition = 3;
    const before = await producer.send({ topic, partition, value: 'before' });
    await connection.commands.ping();
    const master = await cluster.masterOf(`millrace:{log:${topic}:${partition}}:records`);
    // when
    await master.kill();
    const after = await producer.send({ topic, partition, value: 'after' });
    // then
    expect([before.offset + 1, before.offset]).toContain(after.offset);
    expect(await log.deleteTopic('payments')).toBe(true);
  });
});
