import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeadlineExceededError } from '@millrace/core';
import { waitFor } from '@millrace/testing';
import { LogOnRedis } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

describe('a handler that overruns its deadline', () => {
  it('fails, and its key waits until it has really ended, while the others flow', async () => {
    // given a handler that hangs on the first record of a key, whatever its signal says
    const topic = await redis.topic();
    let end: () => void = () => undefined;
    let isOverdue = false;
    const events: string[] = [];
    redis.log.events.on('retry-scheduled', ({ error }) => {
      if (error instanceof DeadlineExceededError) events.push('deadline exceeded');
    });
    const consumer = redis.log.consumer({
      group: 'overrun',
      topics: topic,
      handlerTimeoutMs: 30,
      retry: { maxRetries: 3, backoff: 1 },
      handler: async (value, { attempt, signal }) => {
        events.push(`${value} #${attempt}`);
        if (value !== 'hangs' || attempt !== 1) return;
        signal.addEventListener('abort', () => (isOverdue = true));
        await new Promise<void>((resolve) => (end = resolve));
      },
    });
    const producer = redis.log.producer();
    await producer.sendBatch(['hangs', 'next'].map((value) => ({ topic, key: 'a', value })));
    await consumer.start();

    // when other keys come meanwhile, and then it ends at last
    await waitFor(() => events.includes('hangs #1'), { what: 'the handler to hang' });
    for (let index = 0; index < 5; index++) await producer.send({ topic, key: `b${index}`, value: `b${index}` });
    await waitFor(() => events.includes('b4 #1'), { what: 'the others to be handled' });
    await waitFor(() => isOverdue, { what: 'the deadline' });
    expect(events).not.toContain('hangs #2');
    end();

    // then it is tried again, and its key goes on
    await waitFor(() => events.includes('next #1'), { what: 'the key to go on' });
    expect(events.filter((event) => !event.startsWith('b'))).toEqual([
      'hangs #1',
      'deadline exceeded',
      'hangs #2',
      'next #1',
    ]);
    await consumer.stop();
  });

  it('may have as much time as it asks for', async () => {
    // given a short deadline and a handler that extends it
    const topic = await redis.topic();
    const attempts: number[] = [];
    const consumer = redis.log.consumer({
      group: 'extends',
      topics: topic,
      handlerTimeoutMs: 20,
      retry: false,
      handler: async (_value, context) => {
        context.extend(60_000);
        attempts.push(context.attempt);
        await redis.admin.call('BLPOP', 'nothing-ever', 0.1);
      },
    });

    // when it takes five times as long
    await redis.log.producer().send({ topic, value: 1 });
    await consumer.start();

    // then it succeeds at the first attempt
    await waitFor(async () => (await redis.log.groups.lag('extends'))[0]?.lag === 0, { what: 'the commit' });
    expect(attempts).toEqual([1]);
    expect((await redis.log.listTopics()).map(({ name }) => name)).not.toContain(`${topic}.dead-letters`);
    await consumer.stop();
  });
});
