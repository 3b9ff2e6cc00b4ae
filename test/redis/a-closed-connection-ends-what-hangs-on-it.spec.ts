import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ClosedError, WriteError } from '@millrace/core';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { freePort, type RedisServer, spawnProgram, startRedis, stopEverything } from '@millrace/testing';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

/** Far beyond the time that Jest gives a test. */
const forEver = 3_600_000;

async function connected() {
  const connection = await new RedisConnection({ url: redis.url, prefix: 'closed' }).open();
  const broker = new Broker(connection, { deliveryTimeoutMs: forEver });
  const log = new Log(connection);
  const producer = log.producer({ deliveryTimeoutMs: forEver });
  await broker.declareQueue({ name: 'work' });
  await log.declareTopic({ name: 'work' });
  return { connection, broker, log, producer };
}

describe('on a connection that was closed', () => {
  it('everything that is published fails immediately', async () => {
    // given
    const { connection, broker, log, producer } = await connected();
    await broker.sendToQueue('work', 1);
    await producer.send({ topic: 'work', value: 1 });
    // when
    connection.close();
    // then
    const late = log.producer({ deliveryTimeoutMs: forEver });
    for (const publish of [
      () => broker.sendToQueue('work', 2),
      () => broker.publish('', 'work', 2),
      () => broker.publishBatch([{ exchange: '', routingKey: 'work', body: 2 }]),
      () => broker.request('', 'work', 2, { timeoutMs: forEver }),
      () => new Broker(connection, { deliveryTimeoutMs: forEver }).sendToQueue('work', 2),
      () => producer.send({ topic: 'work', value: 2 }),
      () => producer.sendBatch([{ topic: 'work', value: 2 }]),
      () => late.send({ topic: 'work', value: 2 }),
    ]) {
      await expect((async () => publish())()).rejects.toThrow(ClosedError);
    }
    await expect(broker.sendToQueue('work', 2)).rejects.toThrow('the connection to Redis is closed');
    await expect(producer.send({ topic: 'work', value: 2 })).rejects.toThrow('the connection to Redis is closed');
  });

  it('what was under way fails too, and says whether it may be written', async () => {
    // given
    const { connection, broker, producer } = await connected();
    await redis.freeze();
    const underWay = [
      broker.sendToQueue('work', 1),
      broker.publishBatch([{ exchange: '', routingKey: 'work', body: 2 }]),
      producer.send({ topic: 'work', value: 1 }),
      producer.sendBatch([{ topic: 'work', value: 2 }]),
    ].map((sending) => sending.catch((error: unknown) => error));
    await new Promise(setImmediate);
    // when
    connection.close();
    // then
    const errors = await Promise.all(underWay);
    for (const error of errors) expect(error).toBeInstanceOf(WriteError);
    for (const error of errors) expect(error).toMatchObject({ mayBeWritten: true });
    redis.thaw();
  });
});

describe('a process that closes its connection, and nothing that hangs on it,', () => {
  it('ends by itself', async () => {
    // when
    const env = { URL: redis.url, PREFIX: 'ends' };
    const program = await spawnProgram('test/programs/closes-its-connection.mjs', { env });
    // then
    expect(await program.exited).toEqual({ code: 0, signal: null });
    expect(program.lines).toEqual(['closed 0 of 0 failed']);
  });

  it('ends by itself when Redis was never there', async () => {
    // when
    const env = { URL: `redis://127.0.0.1:${await freePort()}`, PREFIX: 'ends' };
    const program = await spawnProgram('test/programs/closes-its-connection.mjs', { env });
    // then
    expect(await program.exited).toEqual({ code: 0, signal: null });
    expect(program.lines).toEqual(['closed 6 of 6 failed']);
  });
});
