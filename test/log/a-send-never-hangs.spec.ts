import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ClosedError, WriteError } from '@millrace/core';
import { startProxy, waitFor } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { LogOnRedis, times } from './log-on-redis.js';

describe('a send', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start({ aof: 'always' });
  });
  afterAll(() => redis.stop());

  async function errorOf(sending: Promise<unknown>): Promise<WriteError> {
    const error: unknown = await sending.catch((thrown: unknown) => thrown);
    if (!(error instanceof WriteError)) throw new Error(`not a WriteError: ${String(error)}`);
    return error;
  }

  it('fails while Redis is away: not written when it was never sent', async () => {
    const topic = await redis.topic();
    const producer = redis.log.producer({ deliveryTimeoutMs: 1000 });
    await producer.send({ topic, value: 1 });
    await redis.server.kill();
    await waitFor(() => !redis.connection.isUp, { what: 'the connection to be known as lost' });
    const errors = await Promise.all(times(20, (value) => errorOf(producer.send({ topic, value }))));
    for (const error of errors) expect(error).toMatchObject({ failure: 'unavailable', mayBeWritten: false });
    const unknown = await errorOf(producer.send({ topic: 'never-heard-of', value: 1 }));
    expect(unknown).toMatchObject({ failure: 'unavailable', mayBeWritten: false });
    await redis.server.restart();
    await redis.connection.whenReady(5000);
    expect(await producer.send({ topic, value: 2 })).toMatchObject({ offset: 1 });
  });

  it('goes through by itself when Redis comes back in time', async () => {
    const topic = await redis.topic();
    const producer = redis.log.producer();
    await producer.send({ topic, value: 0 });
    await redis.server.kill();
    const sending = Promise.all(times(10, (n) => producer.send({ topic, value: n + 1 })));
    await redis.server.restart();
    await sending;
    expect((await redis.records(topic)).map(({ value }) => value)).toEqual(times(11, (n) => n));
  });

  it('fails when Redis is frozen: it may be written; the next one goes through, in order and once', async () => {
    const topic = await redis.topic();
    const producer = (await redis.another({ commandTimeoutMs: 3000 })).producer({ deliveryTimeoutMs: 1000 });
    await producer.send({ topic, value: 0 });
    await redis.server.freeze();
    const error = await errorOf(producer.send({ topic, value: 1 }));
    redis.server.thaw();
    expect(error).toMatchObject({ failure: 'timeout', mayBeWritten: true });
    const values: unknown[] = [];
    for (let value = 2; value < 5; value++) {
      await producer.send({ topic, value }).catch(() => producer.send({ topic, value }));
    }
    for (const record of await redis.records(topic)) values.push(record.value);
    expect(values.filter((value) => value !== 1)).toEqual([0, 2, 3, 4]);
  });

  onOneServer('replicaof').it('fails on a read-only replica: not written', async () => {
    const topic = await redis.topic();
    // A connection of its own: a refusal ends the connection, and what others have in flight on it may be written.
    const log = await redis.another();
    await log.producer().send({ topic, value: 1 });
    await redis.admin.replicaof('127.0.0.1', 1);
    const error = await errorOf(log.producer({ deliveryTimeoutMs: 1000 }).send({ topic, value: 2 }));
    await redis.server.client().replicaof('NO', 'ONE');
    expect(error.mayBeWritten).toBe(false);
    expect(['read-only', 'unavailable']).toContain(error.failure);
  });

  onOneServer('proxy').it(
    'waits for room when the buffer is full, fails when there is none in time, and never overtakes',
    async () => {
      const topic = await redis.topic();
      const proxy = await startProxy(redis.server);
      const log = await redis.another({ url: proxy.url, commandTimeoutMs: 60_000 });
      const options = { maxRecordBytes: 2000, maxBufferedBytes: 5000, maxBatchBytes: 1500 };
      const patient = log.producer(options);
      const hasty = log.producer({ ...options, deliveryTimeoutMs: 100 });
      await patient.send({ topic, value: -1 });
      proxy.drop();
      const errors = await Promise.all(times(8, () => errorOf(hasty.send({ topic, value: 'x'.repeat(1000) }))));
      for (const error of errors) expect(error.failure).toBe('timeout');
      const sending = Promise.all(times(50, (n) => patient.send({ topic, value: { n, pad: 'x'.repeat(1000) } })));
      await proxy.restore();
      await sending;
      const numbers = (await redis.records<{ n: number }>(topic)).flatMap(({ value }) => value.n ?? []);
      expect(numbers).toEqual(times(50, (n) => n));
    },
  );

  it('is sent by close, which then takes no more', async () => {
    const topic = await redis.topic();
    const producer = redis.log.producer({ lingerMs: 10_000 });
    const sending = Promise.all(times(10, (value) => producer.send({ topic, value })));
    await producer.close();
    await sending;
    await expect(producer.send({ topic, value: 1 })).rejects.toThrow(ClosedError);
    expect(await redis.admin.hlen(`millrace:{log:${topic}:0}:producers`)).toBe(0);
    await redis.log.producer({ lingerMs: 10 }).flush();
  });

  onOneServer('proxy').it('fails with a close whose deadline is over', async () => {
    const topic = await redis.topic();
    const proxy = await startProxy(redis.server);
    const producer = (await redis.another({ url: proxy.url, commandTimeoutMs: 60_000 })).producer();
    await producer.send({ topic, value: 1 });
    proxy.drop();
    const sending = errorOf(producer.send({ topic, value: 2 }));
    await producer.close({ deadlineMs: 50 });
    expect((await sending).message).toMatch(/the producer was closed before it was confirmed/);
    proxy.cut();
  });
});
