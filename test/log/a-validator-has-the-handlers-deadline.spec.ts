import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { handlerInto, validatorStuckAtPoison } from '../poison.js';
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
    const { validated, options } = validatorStuckAtPoison();
    const handled: unknown[] = [];
    const consumer = redis.log.consumer({ group, topics: topic, ...options, ...handlerInto(handled, kind) });
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
    const { validated, options } = validatorStuckAtPoison();
    const handled: unknown[] = [];
    const consumer = redis.log.consumer({
      group: 'stops-while-it-validates',
      topics: topic,
      validate: options.validate,
      batchHandler: (records) => void handled.push(...records),
    });
    await redis.log.producer().sendBatch(['first', 'poison'].map((value) => ({ topic, value })));
    await consumer.start();
    await waitFor(() => validated.includes('poison'), { what: 'the validator' });
    // when
    await consumer.stop({ deadlineMs: 10 });
    // then
    expect(handled).toEqual([]);
  });
});
