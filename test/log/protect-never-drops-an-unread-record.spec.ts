import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { holds } from '../fuzz-seed.js';
import { LogOnRedis, times } from './log-on-redis.js';

describe('retention that protects', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  async function group(topic: string, name: string, offset: number): Promise<void> {
    const commands = redis.admin;
    const stream = `millrace:{log:${topic}:0}:records`;
    await commands.xgroup('CREATE', stream, name, `0-${offset}`, 'MKSTREAM').catch(() => undefined);
    await commands.xgroup('SETID', stream, name, `0-${offset}`);
  }

  it('waits for the slowest group, whatever the limits are', async () => {
    // given
    const topic = await redis.topic({ retention: { maxRecords: 1, maxBytes: 1, maxAgeMs: 1, unread: 'protect' } });
    const producer = redis.log.producer();
    await group(topic, 'fast', 0);
    await group(topic, 'slow', 0);
    for (let n = 0; n < 10; n++)
      await producer.sendBatch(times(10, (i) => ({ topic, value: n * 10 + i, timestamp: 1000 })));
    // when
    await group(topic, 'fast', 100);
    await group(topic, 'slow', 35);
    await redis.log.applyRetention(topic);
    // then
    expect(await redis.log.beginOffset(topic, 0)).toBe(30);
    expect((await redis.records(topic)).map(({ value }) => value)).toEqual(times(70, (n) => 30 + n));
  });

  it('holds for any batches, limits and offsets', async () => {
    const scenario = fc.record({
      batches: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 }),
      maxRecords: fc.integer({ min: 1, max: 40 }),
      read: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 3 }),
    });
    await holds(
      fc.asyncProperty(scenario, async ({ batches, maxRecords, read }) => {
        // given
        const topic = await redis.topic({ retention: { maxRecords, unread: 'protect' } });
        const producer = redis.log.producer();
        for (const size of batches) await producer.sendBatch(times(size, (value) => ({ topic, value })));
        const end = batches.reduce((sum, size) => sum + size, 0);
        const committed = read.map((share) => Math.floor(share * end));
        for (const [index, offset] of committed.entries()) await group(topic, `group-${index}`, offset);
        // when
        await redis.log.applyRetention(topic);
        // then
        const start = await redis.log.beginOffset(topic, 0);
        const limit = Math.min(...committed, Math.max(0, end - maxRecords));
        expect(start).toBeLessThanOrEqual(limit);
        // Retention drops whole batches: each that no group still needs.
        const starts = batches.map((_, index) => batches.slice(0, index + 1).reduce((sum, size) => sum + size, 0));
        expect(start).toBe(Math.max(0, ...starts.filter((offset) => offset <= limit)));
        expect((await redis.records(topic)).map(({ offset }) => offset)).toEqual(times(end - start, (n) => start + n));
        await producer.close();
      }),
      40,
    );
  });
});
