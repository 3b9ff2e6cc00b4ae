import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OptionsError } from '@millrace/core';
import { waitFor } from '@millrace/testing';
import { LogOnRedis } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

describe('a member id', () => {
  it('belongs to the process that used it last: the one before stops, and says why', async () => {
    // given a member with a name of its own
    const topic = await redis.topic();
    const options = { group: 'same', topics: topic, memberId: 'one', heartbeatMs: 50, leaseMs: 60_000 };
    const log = await redis.another();
    const errors: string[] = [];
    log.events.on('background-error', ({ error }) => errors.push(String(error)));
    const seenByFirst: unknown[] = [];
    const first = log.consumer({ ...options, handler: (value) => void seenByFirst.push(value) });
    await first.start();

    // when another process starts under the same name
    const seen: unknown[] = [];
    const second = redis.log.consumer({ ...options, handler: (value) => void seen.push(value) });
    await second.start();

    // then it has the partition, and the first one has stopped with an error that says what to do
    await waitFor(() => first.state === 'stopped', { what: 'the first to stop' });
    expect(errors).toEqual([expect.stringMatching(/was taken over by another process.*give each its own memberId/)]);
    await redis.log.producer().send({ topic, value: 1 });
    await waitFor(() => seen.length === 1, { what: 'the record' });
    expect(seenByFirst).toEqual([]);
    await second.stop();
  });

  it('and everything else that is wrong with the options is reported in one error', () => {
    const wrong = {
      group: '',
      topics: ['x\ty'],
      handlr: () => undefined,
      memberId: 'a\nb',
      concurrency: 0,
      leaseMs: 10,
    };
    let problems: readonly string[] = [];
    try {
      redis.log.consumer(wrong as never);
    } catch (error) {
      if (error instanceof OptionsError) problems = error.problems;
    }
    expect(problems.map((problem) => problem.replace(/ .*/, '')).sort()).toEqual(
      ['concurrency', 'group', 'handler', 'leaseMs', 'member', 'topic', 'unknown'].sort(),
    );
    expect(problems.join()).toContain('handlr (did you mean "handler"?)');
  });
});
