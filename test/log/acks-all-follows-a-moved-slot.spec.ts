import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Log } from '@millrace/log';
import { RedisConnection } from '@millrace/redis';
import { type RedisCluster, startCluster, stopEverything } from '@millrace/testing';
import { times } from './log-on-redis.js';

describe("acks: 'all' on a cluster whose slots move", () => {
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

  it('is confirmed while the slot is moved and when it has moved, each record once and in order', async () => {
    // given a producer that knows where the partition is
    await log.declareTopic({ name: 'orders' });
    const producer = log.producer({ acks: 'all' });
    const key = 'millrace:{log:orders:0}:records';
    const send = (value: number) => producer.send({ topic: 'orders', value });
    for (const value of times(3, (n) => n)) await send(value);

    // when the slot goes to another node, with records sent on the way and after
    const old = await cluster.masterOf(key);
    const to = cluster.masters.find((server) => server !== old)!;
    await cluster.moveSlot(key, to, { whileMoving: () => Promise.all([3, 4, 5].map(send)) });
    await Promise.all([6, 7, 8].map(send));

    // then all of them are there
    const read: unknown[] = [];
    for await (const { value } of log.read({ topic: 'orders', partition: 0 })) read.push(value);
    expect(read).toEqual(times(9, (n) => n));
    expect(await cluster.masterOf(key)).toBe(to);
  });
});
