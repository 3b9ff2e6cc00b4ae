import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OptionsError } from '@millrace/core';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';

describe('a rate of a group’s member', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  const none = () => undefined;

  it('may be below one per second: over all its partitions, and each record begins when it is due', async () => {
    // given
    const topic = await redis.topic({ partitions: 2 });
    await redis.log.producer().sendBatch(times(3, (value) => ({ topic, partition: value % 2, value })));
    const at: number[] = [];
    const handler = (): void => void at.push(performance.now());
    // when: one every 1,200 ms
    const began = performance.now();
    const consumer = redis.log.consumer({
      group: 'rate',
      topics: topic,
      handler,
      rate: { limit: 5, intervalMs: 6000 },
    });
    await consumer.start();
    await waitFor(() => at.length === 3, { what: 'three records' });
    // then
    for (const [index, time] of at.entries()) expect(time - began).toBeGreaterThanOrEqual(index * 1200 - 1);
    await consumer.stop();
  });

  it.each([
    [0.25, /rate must be \{ limit, intervalMs \}, got 0\.25/],
    [{ limit: Number.NaN, intervalMs: 0 }, /rate\.limit must be .*got NaN.*rate\.intervalMs must be .*got 0/s],
  ])('is refused with what was given: %j', async (rate, message) => {
    const consuming = () => redis.log.consumer({ group: 'g', topics: 't', handler: none, rate: rate as never });
    expect(consuming).toThrow(OptionsError);
    expect(consuming).toThrow(message);
    await expect(redis.log.redrive({ topic: 't', rate: rate as never })).rejects.toThrow(message);
  });

  it('is refused with maxPerSecond beside it', async () => {
    const both = { rate: { limit: 1, intervalMs: 60_000 }, maxPerSecond: 1 };
    const message = /rate and maxPerSecond are both given/;
    expect(() => redis.log.consumer({ group: 'g', topics: 't', handler: none, ...both })).toThrow(message);
    await expect(redis.log.redrive({ topic: 't', ...both })).rejects.toThrow(message);
  });
});
