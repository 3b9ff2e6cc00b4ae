import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { LogOnRedis } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('a handler that blocks the event loop for longer than its lease, and then waits', () => {
  it.each([
    ['record', false],
    ['batch', true],
  ])('has its %s dead-lettered at the delivery limit, and its neighbours handled', async (what, isBatch) => {
    // given a handler that blocks at one value, and goes on until its signal is aborted
    const topic = await redis.topic({ partitions: 1 });
    const group = `blocked-${what}`;
    const seen: string[] = [];
    const reported: string[] = [];
    redis.log.events.on('background-error', ({ error }) => reported.push(error instanceof Error ? error.message : ''));
    const handle = async (value: unknown, { attempt, signal }: { attempt: number; signal: AbortSignal }) => {
      seen.push(`${value} #${attempt}`);
      if (value !== 'blocks') return;
      block(150);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    };
    const consumer = redis.log.consumer({
      group,
      topics: topic,
      leaseMs: 100,
      retry: false,
      deliveryLimit: 2,
      batch: { maxRecords: 1 },
      ...(isBatch
        ? { batchHandler: ([record], { signal }) => handle(record?.payload, { attempt: record?.attempt ?? 0, signal }) }
        : { handler: handle }),
    });

    // when it meets that value among others
    const values = ['before', 'blocks', 'after'];
    await redis.log.producer().sendBatch(values.map((value) => ({ topic, key: value, value })));
    await consumer.start();
    await waitFor(async () => (await redis.log.groups.lag(group))[0]?.lag === 0, { what: 'all to be done' });

    // then it came back as often as it may, as no failed attempt, and the dead letter says why
    expect(seen.filter((one) => one.startsWith('blocks'))).toEqual(['blocks #1', 'blocks #1', 'blocks #1']);
    const dead = await redis.records(`${topic}.dead-letters`);
    expect(dead.map(({ value }) => value)).toEqual(['blocks']);
    expect(dead[0]?.headers).toMatchObject({
      'millrace-reason': 'delivery_limit',
      'millrace-error-message': expect.stringMatching(/ran out while it was handled, 3 times.*blocks the event loop/),
    });
    expect(seen).toEqual(expect.arrayContaining(['before #1', 'after #1']));
    expect(reported.filter((message) => message.includes('ran out while it was handled'))).toHaveLength(3);
    await consumer.stop();
  });
});
