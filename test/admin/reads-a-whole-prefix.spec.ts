import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { lagMsOf, lagOf, Overview } from '@millrace/admin';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { type RedisServer, startRedis } from '@millrace/testing';

let server: RedisServer;
let connection: RedisConnection;

beforeAll(async () => {
  server = await startRedis();
  connection = await new RedisConnection({ ...server.connection, prefix: 'reads' }).open();
});

afterAll(async () => {
  connection.close();
  await server.stop();
});

describe('an overview', () => {
  it('reports where topics, groups and queues stand', async () => {
    // given a topic with 30 records, a group that read 10 of partition 0, and a queue with ready and delayed messages
    const log = new Log(connection);
    const broker = new Broker(connection);
    await log.declareTopic({ name: 'orders', partitions: 2 });
    const producer = log.producer();
    for (let index = 0; index < 20; index++) await producer.send({ topic: 'orders', partition: 0, value: index });
    for (let index = 0; index < 10; index++) await producer.send({ topic: 'orders', partition: 1, value: index });
    await connection.commands.xgroup('CREATE', 'reads:{log:orders:0}:records', 'desk', '0-10');
    await broker.declareQueue({ name: 'mail', priorities: 2 });
    await broker.sendToQueue('mail', 'a', { timestamp: Date.now() - 5000 });
    await broker.sendToQueue('mail', 'b', { priority: 1 });
    await broker.sendToQueue('mail', 'c', { delayMs: 60_000 });
    // when
    const { topics, groups, queues, unread } = await new Overview(connection).read();
    // then
    const [orders] = topics;
    expect(orders?.partitions.map(({ start, end }) => [start, end])).toEqual([
      [0, 20],
      [0, 10],
    ]);
    const first = orders!.partitions[0]!;
    expect(first.groups).toMatchObject([{ group: 'desk', committed: 10, owner: undefined, isOwnerKnown: true }]);
    expect(lagOf(first, first.groups[0]!)).toBe(10);
    expect(lagMsOf(first, first.groups[0]!)).toBe(first.at - first.groups[0]!.nextTimestamp!);
    expect(orders?.partitions[1]?.groups).toEqual([]);
    expect(groups).toEqual([{ group: 'desk', members: 0, generation: 0 }]);
    expect(queues).toMatchObject([{ queue: 'mail', messages: 3, ready: 2, delayed: 1, unacked: 0, consumers: 0 }]);
    expect(queues[0]!.oldestAgeMs).toBeGreaterThanOrEqual(5000);
    expect(queues[0]!.bytes).toBeGreaterThan(0);
    expect(unread).toEqual([]);
    await Promise.all([log.close(), broker.close()]);
  });

  it('has the defaults of what an older version declared, and passes over settings that are none', async () => {
    // given a topic without a setting that is newer, and what another program wrote beside it
    const older = await new RedisConnection({ ...server.connection, prefix: 'older' }).open();
    const log = new Log(older);
    await log.declareTopic({ name: 'orders' });
    const key = 'older:{topology}:topics';
    const { timestamps: _, ...settings } = JSON.parse((await older.commands.hget(key, 'orders')) ?? '');
    await older.commands.hset(key, { orders: JSON.stringify(settings), another: 'no settings' });
    // when
    const { topics } = await new Overview(older).read();
    // then
    expect(topics).toMatchObject([{ topic: { name: 'orders', timestamps: 'create' } }]);
    await log.close();
    older.close();
  });

  it('has nothing of a prefix that holds nothing', async () => {
    // given
    const empty = await new RedisConnection({ ...server.connection, prefix: 'empty' }).open();
    // when
    const snapshot = await new Overview(empty).read();
    // then
    expect(snapshot).toEqual({ topics: [], groups: [], queues: [], unread: [] });
    empty.close();
  });
});
