import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { LogOnRedis } from './log-on-redis.js';

describe('a validator that never settles', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  it.each(['record', 'batch'])('has the deadline of the handler, of a %s: the others go on', async (kind) => {
    // given
    const topic = await redis.topic();
    const group = `validates-each-${kind}`;
    const validated: unknown[] = [];
    const handled: unknown[] = [];
    const consumer = redis.log.consumer({
      group,
      topics: topic,
      concurrency: 1,
      handlerTimeoutMs: 10,
      abortGraceMs: 10,
      retry: { maxRetries: 1, backoff: 1 },
      validate: (value) => {
        validated.push(value);
        return value === 'poison' ? new Promise(() => undefined) : undefined;
      },
      ...(kind === 'batch'
        ? { batchHandler: (records) => void handled.push(...records.map(({ payload }) => payload)) }
        : { handler: (value) => void handled.push(value) }),
    });
    // when
    await redis.log.producer().sendBatch(['first', 'poison', 'last'].map((value) => ({ topic, value })));
    await consumer.start();
    await waitFor(async () => (await redis.log.groups.lag(group))[0]?.lag === 0, { what: 'all to be done' });
    // then
    expect(handled.toSorted()).toEqual(['first', 'last']);
    expect(validated.filter((value) => value === 'poison')).toHaveLength(2);
    expect((await redis.records(`${topic}.dead-letters`)).map(({ value }) => value)).toEqual(['poison']);
    await consumer.stop();
  });

  it('is let go when its consumer stops: no handler runs for its batch', async () => {
    // given
    const topic = await redis.topic();
    let isValidating = false;
    const handled: unknown[] = [];
    const consumer = redis.log.consumer({
      group: 'stops-while-it-validates',
      topics: topic,
      validate: (value) => {
        isValidating ||= value === 'poison';
        return value === 'poison' ? new Promise(() => undefined) : undefined;
      },
      batchHandler: (records) => void handled.push(...records),
    });
    await redis.log.producer().sendBatch(['first', 'poison'].map((value) => ({ topic, value })));
    await consumer.start();
    await waitFor(() => isValidating, { what: 'the validator' });
    // when
    await consumer.stop({ deadlineMs: 10 });
    // then
    expect(handled).toEqual([]);
  });
});
