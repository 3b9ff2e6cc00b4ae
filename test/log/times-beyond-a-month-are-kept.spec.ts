import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RecordContext } from '@millrace/log';
import { waitFor } from '@millrace/testing';
import { LogOnRedis } from './log-on-redis.js';

const fortyDaysMs = 40 * 86_400_000;
const never = Number.POSITIVE_INFINITY;

let on: LogOnRedis;
beforeAll(async () => {
  on = await LogOnRedis.start();
});
afterAll(() => on.stop());

/** Time enough for a timer that fires immediately, which is one of a millisecond: Redis waits for longer. */
async function aWhile(): Promise<void> {
  await on.admin.call('BLPOP', 'nothing-ever', 0.02);
}

/** A consumer with one record in hand, whose handler ends on demand. */
async function holding(handlerTimeoutMs: number) {
  const topic = await on.topic();
  const contexts: RecordContext[] = [];
  const outcomes: string[] = [];
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const consumer = on.log.consumer({
    group: topic,
    topics: topic,
    from: 'earliest',
    retry: false,
    handlerTimeoutMs,
    handler: async (_, context) => {
      contexts.push(context);
      await ended;
      outcomes.push(context.signal.aborted ? 'aborted' : 'done');
    },
  });
  await consumer.start();
  await on.log.producer().send({ topic, value: 'a task' });
  await waitFor(() => contexts.length === 1, { what: 'the handler' });
  return { consumer, contexts, outcomes, end, topic };
}

describe('a handler of the log', () => {
  it.each([fortyDaysMs, never])('has %d ms when it was given them, and when it asks for them', async (timeoutMs) => {
    // given
    const { consumer, contexts, outcomes, end } = await holding(timeoutMs);
    await aWhile();
    // when
    contexts[0]?.extend(timeoutMs);
    await aWhile();
    end();
    // then
    await waitFor(() => outcomes.length === 1, { what: 'its end' });
    expect(outcomes).toEqual(['done']);
    await consumer.stop();
  });

  it('has as long as it takes when its consumer is stopped without a deadline', async () => {
    // given
    const { consumer, outcomes, end, topic } = await holding(never);
    // when
    const stopped = consumer.stop({ deadlineMs: never });
    await aWhile();
    expect(outcomes).toEqual([]);
    end();
    await stopped;
    // then
    expect(outcomes).toEqual(['done']);
    const [lag] = await on.log.groups.lag(topic);
    expect(lag).toMatchObject({ lag: 0 });
  });
});
