import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Codec } from '@millrace/core';
import type { Compression } from '@millrace/log';
import { LogOnRedis, times } from './log-on-redis.js';

const upperCase: Codec = {
  id: 42,
  name: 'upper-case',
  encode: (value) => String(value).toUpperCase(),
  decode: (bytes) => bytes.toString('utf8'),
};

describe('a topic', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start({}, { codecs: [upperCase] });
  });
  afterAll(() => redis.stop());

  it.each<[codec: string, value: unknown, read: unknown]>([
    ['json', { a: [1, 'ä', null] }, { a: [1, 'ä', null] }],
    ['msgpack', { bytes: Buffer.from([1, 2]), when: new Date(5), big: 2n ** 60n }, undefined],
    ['raw', Buffer.from([0, 255]), Buffer.from([0, 255])],
    ['upper-case', 'loud', 'LOUD'],
  ])('gives back what was sent: %s', async (codec, value, read) => {
    const topic = await redis.topic({ codec });
    await redis.log.producer().send({ topic, value });
    expect((await redis.records(topic))[0]?.value).toEqual(read ?? value);
  });

  it.each<Compression>(['zlib', 'brotli'])('is smaller with %s, and reads the same', async (compression) => {
    // given
    const plain = await redis.topic();
    const packed = await redis.topic({ compression });
    const records = times(500, (n) => ({
      id: n,
      kind: 'order-created',
      customer: `customer-${n % 7}`,
      amount: 100 + n,
    }));
    // when
    const producer = redis.log.producer({ maxBatchBytes: 10_000 });
    for (const topic of [plain, packed]) {
      await Promise.all(records.map((value) => producer.send({ topic, value })));
    }
    // then
    const [before] = (await redis.log.describeTopic(plain)).partitionStates;
    const [after] = (await redis.log.describeTopic(packed)).partitionStates;
    expect(after!.bytes).toBeLessThan(before!.bytes * 0.5);
    expect((await redis.records(packed)).map(({ value }) => value)).toEqual(records);
  });

  it('names the codec in the error of a process that lacks it', async () => {
    const topic = await redis.topic({ codec: 'upper-case' });
    await redis.log.producer().send({ topic, value: 'a' });
    const other = await redis.another();
    await expect(other.producer().send({ topic, value: 'a' })).rejects.toThrow(
      /the codec "upper-case", which this Log/,
    );
    await expect(other.read({ topic, partition: 0 }).next()).rejects.toThrow(/no codec has id 42/);
  });
});
