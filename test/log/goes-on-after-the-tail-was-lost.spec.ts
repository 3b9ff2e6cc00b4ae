import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OffsetOutOfRangeError } from '@millrace/log';
import { LogOnRedis, times } from './log-on-redis.js';

describe('a log whose end a failover lost', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  /** The partition as it was: what a replica knew that was behind when it became the master. */
  async function remember(topic: string): Promise<() => Promise<void>> {
    const commands = redis.admin;
    const keys = ['records', 'meta', 'producers'].map((name) => `millrace:{log:${topic}:0}:${name}`);
    const dumps = await Promise.all(keys.map((key) => commands.dumpBuffer(key)));
    return async () => {
      await Promise.all(keys.map((key, index) => commands.restore(key, 0, dumps[index]!, 'REPLACE')));
    };
  }

  it('is appended to by the producers that are ahead of it, in order and without duplicates', async () => {
    // given
    const topic = await redis.topic();
    const producer = redis.log.producer({ maxBatchBytes: 40 });
    for (let value = 0; value < 5; value++) await producer.send({ topic, value });
    const restore = await remember(topic);
    for (let value = 5; value < 10; value++) await producer.send({ topic, value });
    // when
    await restore();
    const sent = await Promise.all(times(20, (n) => producer.send({ topic, value: 10 + n })));
    // then
    expect(sent.map(({ offset }) => offset)).toEqual(times(20, (n) => 5 + n));
    const values = (await redis.records(topic)).map(({ value }) => value);
    expect(values).toEqual([...times(5, (n) => n), ...times(20, (n) => 10 + n)]);
  });

  it('is appended to by a producer that Redis has forgotten', async () => {
    const topic = await redis.topic();
    const producer = redis.log.producer({ maxBatchBytes: 40 });
    for (let value = 0; value < 3; value++) await producer.send({ topic, value });
    await redis.admin.del(`millrace:{log:${topic}:0}:producers`);
    await Promise.all(times(20, (n) => producer.send({ topic, value: 3 + n })));
    expect((await redis.records(topic)).map(({ value }) => value)).toEqual(times(23, (n) => n));
  });

  it('is noticed by a reader that goes on', async () => {
    const topic = await redis.topic();
    const producer = redis.log.producer();
    for (let value = 0; value < 5; value++) await producer.send({ topic, value });
    const restore = await remember(topic);
    for (let value = 5; value < 10; value++) await producer.send({ topic, value });
    const reading = redis.log.read({ topic, partition: 0, tail: true });
    for (let n = 0; n < 10; n++) await reading.next();
    await restore();
    await expect(reading.next()).rejects.toThrow(OffsetOutOfRangeError);
    await redis.log.close();
  });
});
