import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, waitFor } from '@millrace/testing';
import { linesOf, sampleOf } from './exposition.js';
import { openMeasured, ownPrefix } from './measured.js';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server.stop());

describe('records that are handled in a run', () => {
  it('are counted one by one, between those that wait, fail, or come again', async () => {
    // given a handler that mostly ends immediately; every 7th record waits, every 11th fails at its first attempt
    const { log, metrics, close } = await openMeasured(server, ownPrefix());
    await log.declareTopic({ name: 'ticks', partitions: 2 });
    const value = (_: unknown, number: number) => ({ topic: 'ticks', key: `k${number % 5}`, value: { number } });
    await log.producer().sendBatch(Array.from({ length: 2000 }, value));
    const seen = { calls: 0, failures: 0 };
    const consumer = log.consumer({
      group: 'tickers',
      topics: 'ticks',
      retry: { maxRetries: 1, backoff: { kind: 'fixed', delayMs: 1 } },
      handler: (payload, { attempt }) => {
        const { number } = payload as { readonly number: number };
        seen.calls++;
        if (number % 7 === 0) return Promise.resolve();
        if (number % 11 !== 0 || attempt > 1) return undefined;
        seen.failures++;
        throw new Error('the first time');
      },
    });

    // when all of them are handled
    await consumer.start();
    const isRead = async () => sampleOf(await metrics.scrape(), 'millrace_consumergroup_lag_sum') === 0;
    await waitFor(async () => seen.calls >= 2000 + seen.failures && (await isRead()), { what: 'all records' });

    // then each was counted once an attempt, and its wait once
    const text = await metrics.scrape();
    const ended = linesOf(text, 'millrace_handler_duration_seconds_count');
    expect(Object.fromEntries(ended.map(({ labels, value: count }) => [labels.outcome, count]))).toEqual({
      completed: 2000,
      failed: seen.failures,
    });
    expect(sampleOf(text, 'millrace_handler_wait_seconds_count', { handler: 'tickers' })).toBe(2000);
    await consumer.stop();
    await close();
  });
});
