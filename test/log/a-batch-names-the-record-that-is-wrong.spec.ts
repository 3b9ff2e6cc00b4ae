import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InvalidMessageError } from '@millrace/core';
import { LogOnRedis } from './log-on-redis.js';

describe('a batch with records that are wrong', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  const large = 'x'.repeat(2000);

  it.each(['a topic that is known', 'a topic that must be looked up first'])(
    'is refused by the index and key of each, and nothing of it is written: %s',
    async (which) => {
      // given
      const topic = await redis.topic();
      const producer = redis.log.producer({ maxRecordBytes: 1000 });
      const isKnown = which === 'a topic that is known';
      if (isKnown) await producer.send({ topic, value: 'first' });
      // when
      const sending = producer.sendBatch([
        { topic, key: 'a', value: 1 },
        { topic, key: 'b', value: large },
        { topic, value: undefined },
        { topic, key: 'c', value: 2 },
      ]);
      // then
      await expect(sending).rejects.toThrow(InvalidMessageError);
      await expect(sending).rejects.toThrow(
        `records[1] (key "b"): record for topic "${topic}": it has 2011 bytes, more than maxRecordBytes (1000)`,
      );
      await expect(sending).rejects.toThrow(/records\[2\]: record for topic .* JSON has no undefined/);
      expect(await redis.log.endOffset(topic, 0)).toBe(isKnown ? 1 : 0);
      await producer.close();
    },
  );

  it('names the key shortened when it is long, and a record without a topic by its index', async () => {
    const topic = await redis.topic();
    const producer = redis.log.producer({ maxRecordBytes: 1000 });
    await producer.send({ topic, value: 'first' });
    const long = producer.sendBatch([{ topic, key: 'k'.repeat(500), value: large }]);
    await expect(long).rejects.toThrow(/^records\[0\] \(key "k{60}…"\): /);
    const none = producer.sendBatch([{ topic, value: 1 }, { value: 2 } as unknown as { topic: string; value: number }]);
    await expect(none).rejects.toThrow(/^records\[1\]: a record must be { topic, value/);
    await producer.close();
  });

  it.each([
    ['a single record', { topic: 'orders', value: 1 }, 'an object'],
    ['what can only be iterated', new Set([{ topic: 'orders', value: 1 }]), 'an object'],
    ['a string', 'x'.repeat(1_000_000), 'a string'],
    ['nothing', undefined, 'undefined'],
  ])('is refused when it is no array: %s', async (_name, given, named) => {
    const sending = redis.log.producer().sendBatch(given as never);
    await expect(sending).rejects.toThrow(InvalidMessageError);
    await expect(sending).rejects.toThrow(`sendBatch takes an array of records, got ${named}.`);
  });
});
