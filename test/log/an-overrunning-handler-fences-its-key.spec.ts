import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeadlineExceededError } from '@millrace/core';
import type { RecordContext } from '@millrace/log';
import { waitFor } from '@millrace/testing';
import { LogOnRedis } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

describe('a handler that overruns its deadline', () => {
  it('fails, and its key waits while it ends within its grace, while the others flow', async () => {
    // given a handler that hangs on the first record of a key, and ends some time after its signal was aborted
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
      abortGraceMs: 60_000,
      retry: { maxRetries: 3, backoff: 1 },
      handler: async (value, { attempt, signal }) => {
        events.push(`${value} #${attempt}`);
        if (value !== 'hangs' || attempt !== 1) return;
        signal.addEventListener('abort', () => (isOverdue = true));
        await new Promise<void>((resolve) => (end = resolve));
        events.push('ended');
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
      'ended',
      'deadline exceeded',
      'hangs #2',
      'next #1',
    ]);
    await consumer.stop();
  });

  it('is given up after its grace: the next attempt has a new signal and a higher epoch, and what the old one still does counts for nothing', async () => {
    // given a handler that never heeds its signal at the first attempt
    const topic = await redis.topic();
    let end: () => void = () => undefined;
    const attempts: RecordContext[] = [];
    const late: unknown[] = [];
    redis.log.events.on('late-outcome', ({ handler, outcome, attempt, subject }) => {
      late.push({ handler, outcome, attempt, subject });
    });
    let committing: Promise<void> | undefined;
    const consumer = redis.log.consumer({
      group: 'given-up',
      topics: topic,
      handlerTimeoutMs: 200,
      abortGraceMs: 100,
      commit: 'manual',
      retry: { maxRetries: 3, backoff: 1 },
      handler: async (value, context) => {
        if (value !== 'hangs') return context.commit();
        attempts.push(context);
        if (attempts.length > 1) return;
        await new Promise<void>((resolve) => (end = resolve));
        committing = context.commit();
        await committing;
      },
    });
    await redis.log.producer().send({ topic, key: 'a', value: 'hangs' });
    await consumer.start();

    // when its second attempt has begun, and the first one ends at last, and commits
    await waitFor(() => attempts.length === 2, { what: 'the second attempt' });
    const [first, second] = attempts;
    expect(first?.signal.aborted).toBe(true);
    expect(second?.signal.aborted).toBe(false);
    expect(second?.attempt).toBe(2);
    expect(second?.epoch).toBeGreaterThan(first?.epoch ?? 0);
    end();
    await waitFor(() => late.length > 0, { what: 'the late outcome' });

    // then its commit is refused and reported, and the second attempt decides
    await expect(committing).rejects.toThrow(/attempt 1 was given up/);
    expect(late).toEqual([
      { handler: 'given-up', outcome: 'failed', attempt: 1, subject: `record 0 of topic "${topic}", partition 0` },
    ]);
    expect((await redis.log.groups.lag('given-up'))[0]?.lag).toBe(1);
    await second?.commit();
    await redis.log.producer().send({ topic, key: 'a', value: 'next' });
    await waitFor(async () => (await redis.log.groups.lag('given-up'))[0]?.lag === 0, { what: 'the key to go on' });
    expect(consumer.assignment[0]?.epoch).toBe(second?.epoch);
    await consumer.stop();
  });

  it.each([
    ['record', {}],
    ['batch', { isBatch: true }],
  ])(
    'that never ends, of a %s, does not keep it from the dead letters, nor its key from going on',
    async (_what, { isBatch = false }: { isBatch?: boolean }) => {
      // given a handler that never settles for one value
      const topic = await redis.topic();
      const group = `never-${isBatch}`;
      const handled: unknown[] = [];
      const epochs: number[] = [];
      const handle = (value: unknown, { epoch }: { epoch: number }): unknown => {
        handled.push(value);
        epochs.push(epoch);
        return value === 'poison' ? new Promise(() => undefined) : undefined;
      };
      const consumer = redis.log.consumer({
        group,
        topics: topic,
        ordering: 'partition',
        handlerTimeoutMs: 100,
        abortGraceMs: 50,
        retry: { maxRetries: 1, backoff: 1 },
        batch: { maxRecords: 1 },
        ...(isBatch ? { batchHandler: ([record], context) => handle(record?.payload, context) } : { handler: handle }),
      });

      // when it meets that value
      await redis.log.producer().sendBatch(['poison', 'next'].map((value) => ({ topic, value })));
      await consumer.start();
      await waitFor(async () => (await redis.log.groups.lag(group))[0]?.lag === 0, { what: 'all to be done' });

      // then it had its attempts, each with a higher epoch, and is a dead letter; the partition went on
      expect(handled).toEqual(['poison', 'poison', 'next']);
      expect(epochs).toEqual([1, 2, 3]);
      expect((await redis.records(`${topic}.dead-letters`)).map(({ value }) => value)).toEqual(['poison']);
      await consumer.stop();
    },
  );

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
