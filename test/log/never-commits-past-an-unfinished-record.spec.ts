import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

describe('the committed offset', () => {
  it('never passes a record that is not finished, in whatever order they end', async () => {
    // given handlers that end in an order of their own
    const topic = await redis.topic();
    const unfinished = new Set(times(200, (offset) => offset));
    const waiting: (() => void)[] = [];
    const log = await redis.another();
    const wrong: number[] = [];
    log.events.on('committed', ({ offset }) => {
      for (const open of unfinished) if (open < offset) wrong.push(open);
    });
    const consumer = log.consumer({
      group: 'frontier',
      topics: topic,
      concurrency: 20,
      commitIntervalMs: 1,
      handler: async (_value, { offset }) => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        unfinished.delete(offset);
      },
    });
    await redis.log.producer().sendBatch(times(200, (value) => ({ topic, key: `key-${value}`, value })));
    await consumer.start();

    // when they end at random, as many as may run at a time
    await waitFor(
      () => {
        if (waiting.length < 20 && unfinished.size > 20) return false;
        const [ended] = waiting.splice(Math.floor(Math.random() * waiting.length), 1);
        ended?.();
        return unfinished.size === 0;
      },
      { what: 'all records to end', intervalMs: 1 },
    );
    await consumer.stop();

    // then no commit was ahead of its time, and the last one has everything
    expect(wrong).toEqual([]);
    expect(await redis.log.groups.lag('frontier')).toMatchObject([{ committed: 200, lag: 0 }]);
  });

  it('waits for commit() when commits are manual', async () => {
    // given a handler that keeps records for later
    const topic = await redis.topic();
    const kept: { commit(): Promise<void> }[] = [];
    const consumer = redis.log.consumer({
      group: 'manual',
      topics: topic,
      commit: 'manual',
      commitIntervalMs: 1,
      handler: (_value, context) => void kept.push(context),
    });
    await redis.log.producer().sendBatch(times(10, (value) => ({ topic, value })));
    await consumer.start();
    await waitFor(() => kept.length === 10, { what: 'ten records' });

    // when it commits some of them
    const committed = async () => (await redis.log.groups.lag('manual'))[0]?.committed;
    expect(await committed()).toBe(0);
    await Promise.all([0, 1, 2, 5].map((index) => kept[index]?.commit()));

    // then the offset stands before the first that is missing, and what came after it is remembered
    expect(await committed()).toBe(3);
    await consumer.stop();
    const again: number[] = [];
    const next = redis.log.consumer({
      group: 'manual',
      topics: topic,
      handler: (value) => void again.push(Number(value)),
    });
    await next.start();
    await waitFor(async () => (await committed()) === 10, { what: 'the rest' });
    expect(again).toEqual([3, 4, 6, 7, 8, 9]);
    await next.stop();
  });
});
