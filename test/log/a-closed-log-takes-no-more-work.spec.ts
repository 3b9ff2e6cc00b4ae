import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ClosedError } from '@millrace/core';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { LogOnRedis } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

const handler = () => undefined;

describe('a log that was closed', () => {
  it('makes no producer, no consumer and no reading that nothing would stop', async () => {
    // given
    const topic = await redis.topic();
    const log = await redis.another();
    // when
    await log.close();
    // then
    for (const make of [() => log.producer(), () => log.consumer({ group: 'g', topics: topic, handler })]) {
      expect(make).toThrow(ClosedError);
      expect(make).toThrow('the log is closed and takes no more work');
    }
    await expect(log.read({ topic, partition: 0, tail: true }).next()).rejects.toThrow(ClosedError);
    expect(await log.read({ topic, partition: 0 }).next()).toEqual({ done: true, value: undefined });
  });

  it('makes no consumer while it closes, but the producer that a handler needs to end', async () => {
    // given a handler that runs
    const [topic, results] = [await redis.topic(), await redis.topic()];
    const log = await redis.another();
    let end = (): void => undefined;
    const mayEnd = new Promise<void>((resolve) => {
      end = resolve;
    });
    const handling = new Promise<void>((begun) => {
      const consumer = log.consumer({
        group: 'ends',
        topics: topic,
        handler: async () => {
          begun();
          await mayEnd;
          await log.producer().send({ topic: results, value: 'done' });
        },
      });
      void consumer.start();
    });
    await redis.log.producer().send({ topic, value: 1 });
    await handling;
    // when
    const closing = log.close();
    // then
    expect(() => log.consumer({ group: 'g', topics: topic, handler })).toThrow(ClosedError);
    end();
    await closing;
    expect(await redis.records(results)).toMatchObject([{ value: 'done' }]);
    expect(() => log.producer()).toThrow(ClosedError);
  });
});

describe('a log on a connection that was closed before', () => {
  it('is closed from the start, as a broker is', async () => {
    const connection = await new RedisConnection(redis.server.connection).open();
    connection.close();
    const [log, broker] = [new Log(connection), new Broker(connection)];
    expect(() => log.consumer({ group: 'g', topics: 't', handler })).toThrow(ClosedError);
    expect(() => broker.consumer({ queue: 'q', handler })).toThrow(ClosedError);
    await expect(log.producer().send({ topic: 't', value: 1 })).rejects.toThrow(ClosedError);
  });
});

describe('a consumer that was stopped', () => {
  it('says what to do instead of starting it again', async () => {
    const consumer = redis.log.consumer({ group: 'g', topics: await redis.topic(), handler });
    await consumer.start();
    await consumer.stop();
    await expect(consumer.start()).rejects.toThrow('it was stopped and cannot be started again: make a new one');
  });
});
