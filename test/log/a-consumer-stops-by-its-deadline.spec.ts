import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { LogOnRedis } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

describe('a consumer that is stopped', () => {
  it('ends by its deadline although a handler never does, and aborts its signal', async () => {
    // given a member whose handler never finishes a record
    const topic = await redis.topic();
    let signal: AbortSignal | undefined;
    const handler = (_value: unknown, context: { readonly signal: AbortSignal }): Promise<never> => {
      signal = context.signal;
      return new Promise(() => undefined);
    };
    const consumer = redis.log.consumer({ group: 'endless', topics: topic, handler });
    await consumer.start();
    await redis.log.producer().send({ topic, value: 1 });
    await waitFor(() => signal !== undefined, { what: 'the handler to begin' });

    // when it is stopped
    await consumer.stop({ deadlineMs: 50 });

    // then the handler's signal is aborted, its record has no owner, and the group is free for others
    expect(signal?.aborted).toBe(true);
    expect(await redis.log.groups.describe('endless')).toMatchObject({ state: 'empty', partitions: [{ lag: 1 }] });
  });

  it('ends although Redis hangs, however long commands may wait for it', async () => {
    // given a member whose commands may take longer than any test
    const topic = await redis.topic({ partitions: 2 });
    const log = await redis.another({ commandTimeoutMs: 600_000 });
    const seen: unknown[] = [];
    const handler = (value: unknown): void => void seen.push(value);
    const consumer = log.consumer({ group: 'hangs', topics: topic, commitIntervalMs: 60_000, handler });
    await consumer.start();
    await redis.log.producer().sendBatch([0, 1].map((partition) => ({ topic, partition, value: partition })));
    await waitFor(() => seen.length === 2, { what: 'the records' });

    // when Redis does not reply, and it is stopped
    await redis.server.freeze();
    await consumer.stop({ deadlineMs: 50 });

    // then it has stopped before Redis goes on
    expect(consumer.state).toBe('stopped');
    redis.server.thaw();
  });
});
