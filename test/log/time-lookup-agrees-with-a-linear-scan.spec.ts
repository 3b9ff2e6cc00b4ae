import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { holds, shownSeeds } from '../fuzz-seed.js';
import { LogOnRedis } from './log-on-redis.js';

describe(`the offset for a timestamp (${shownSeeds})`, () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  it('agrees with a linear scan, also when clocks go back and after old records were removed', async () => {
    const time = fc.integer({ min: 0, max: 50 });
    const scenario = fc.record({
      batches: fc.array(fc.array(time, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 20 }),
      deleted: fc.double({ min: 0, max: 1, noNaN: true }),
      asked: fc.array(fc.integer({ min: -1, max: 51 }), { minLength: 1, maxLength: 8 }),
    });
    await holds(
      fc.asyncProperty(scenario, async ({ batches, deleted, asked }) => {
        // given
        const topic = await redis.topic();
        const producer = redis.log.producer();
        for (const batch of batches)
          await producer.sendBatch(batch.map((timestamp) => ({ topic, value: 0, timestamp })));
        const all = batches.flat();
        const start = await redis.log.deleteRecords(topic, 0, Math.floor(deleted * all.length));
        for (const timestamp of asked) {
          // when
          const found = await redis.log.offsetForTimestamp(topic, 0, timestamp);
          // then
          const expected = all.findIndex((at, offset) => offset >= start && at >= timestamp);
          expect(found).toBe(expected === -1 ? all.length : expected);
        }
        await producer.close();
      }),
      60,
    );
  });

  it('takes a number of reads that grows with the logarithm of the log', async () => {
    // given
    const topic = await redis.topic();
    const producer = redis.log.producer({ maxBatchBytes: 1 });
    const batches = 4096;
    await Promise.all(
      Array.from({ length: batches }, (_, timestamp) => producer.send({ topic, value: timestamp, timestamp })),
    );
    const commands = redis.admin;
    expect(await commands.xlen(`millrace:{log:${topic}:0}:records`)).toBe(batches);
    await commands.config('RESETSTAT');
    // when
    expect(await redis.log.offsetForTimestamp(topic, 0, 3000)).toBe(3000);
    // then
    const calls = (await commands.info('commandstats')).match(/cmdstat_xrange:calls=(\d+)/)?.[1];
    expect(Number(calls)).toBeLessThanOrEqual(Math.log2(batches) + 1);
  });
});
