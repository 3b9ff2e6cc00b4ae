import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WriteError } from '@millrace/core';
import { Log } from '@millrace/log';
import { asInteger, RedisConnection } from '@millrace/redis';
import { type Replicated, startProxy, startReplicated, stopEverything } from '@millrace/testing';
import { times } from './log-on-redis.js';

describe("acks: 'all'", () => {
  let replicated: Replicated;
  let connection: RedisConnection;
  let log: Log;
  beforeAll(async () => {
    replicated = await startReplicated({ replicas: 1 });
    connection = await new RedisConnection({ url: replicated.primary.url }).open();
    log = new Log(connection);
    await log.declareTopic({ name: 'orders', partitions: 2 });
  });
  afterAll(async () => {
    await log.close();
    connection.close();
    await stopEverything();
  });

  it('resolves when the replica has the record', async () => {
    // given
    const [replica] = replicated.replicas;
    const producer = log.producer({ acks: 'all' });
    // when
    const sent = await Promise.all(times(50, (value) => producer.send({ topic: 'orders', key: `${value}`, value })));
    // then
    const ends = await Promise.all(
      [0, 1].map((partition) => replica!.client().hget(`millrace:{log:orders:${partition}}:meta`, 'end')),
    );
    expect(ends.reduce((sum, end) => sum + Number(end), 0)).toBe(50);
    expect(sent).toHaveLength(50);
    await producer.close();
  });

  it('waits for the replica also when it repeats an append whose reply was lost', async () => {
    // given
    const proxy = await startProxy(replicated.primary);
    const through = await new RedisConnection({ url: proxy.url }).open();
    const other = new Log(through);
    const producer = other.producer({ acks: 'all', replicaTimeoutMs: 1500 });
    await producer.send({ topic: 'orders', partition: 0, value: 'first' });
    const [replica] = replicated.replicas;
    const before = await log.endOffset('orders', 0);
    await replica!.freeze();
    // when
    const cut = proxy.cutBeforeReply('{log:orders:0}:records');
    const error: unknown = await producer
      .send({ topic: 'orders', partition: 0, value: 'second' })
      .catch((e: unknown) => e);
    await cut;
    replica!.thaw();
    // then
    expect(error).toMatchObject({ failure: 'not-enough-replicas', mayBeWritten: true });
    expect(await log.endOffset('orders', 0)).toBe(before + 1);
    await other.close();
    through.close();
  });

  it('fails clearly when too few replicas confirm, and says that the record may be written', async () => {
    // given
    const producer = log.producer({ acks: 'all', minReplicas: 2, replicaTimeoutMs: 1500 });
    // when
    const error: unknown = await producer.send({ topic: 'orders', value: 1 }).catch((thrown: unknown) => thrown);
    // then
    expect(error).toBeInstanceOf(WriteError);
    expect(error).toMatchObject({ failure: 'not-enough-replicas', mayBeWritten: true });
    expect(error).toMatchObject({ message: expect.stringMatching(/"orders", partition \d: only 1 of 2 replicas/) });
  });

  it('fails clearly when the replica is gone, and works again when it is back', async () => {
    // given
    const [replica] = replicated.replicas;
    const producer = log.producer({ acks: 'all', replicaTimeoutMs: 1500 });
    await producer.send({ topic: 'orders', value: 1 });
    // when
    await replica!.kill();
    const sending = producer.send({ topic: 'orders', value: 2 });
    // then
    await expect(sending).rejects.toThrow(/only 0 of 1 replicas confirmed within 1500 ms. It may have been written/);
    await replica!.restart();
    await replicated.failOver(replicated.primary);
    expect(await log.producer({ acks: 'all' }).send({ topic: 'orders', value: 3 })).toMatchObject({ topic: 'orders' });
    expect(asInteger(await connection.commands.wait(1, 1000))).toBe(1);
  });
});
