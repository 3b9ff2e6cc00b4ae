import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MessageContext } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(stopEverything);

describe('a handler of a queue that overruns its deadline', () => {
  it('has its grace to end: until then its message has no other attempt', async () => {
    // given a handler that ends on demand, long after its signal was aborted
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declare({ queues: [{ name: 'q' }] });
    const events: string[] = [];
    let end: () => void = () => undefined;
    const consumer = broker.consumer({
      queue: 'q',
      handlerTimeoutMs: 10,
      abortGraceMs: 60_000,
      retry: { maxRetries: 1, backoff: 1 },
      handler: async (payload, { attempt, signal }) => {
        events.push(`${payload} #${attempt}`);
        if (payload !== 'slow' || attempt > 1) return;
        signal.addEventListener('abort', () => events.push('aborted'));
        await new Promise<void>((resolve) => (end = resolve));
        events.push('ended');
      },
    });

    // when it ends after other messages have come and gone
    await broker.sendToQueue('q', 'slow');
    await consumer.start();
    await waitFor(() => events.includes('aborted'), { what: 'the deadline' });
    for (const other of ['b', 'c']) {
      await broker.sendToQueue('q', other);
      await waitFor(() => events.includes(`${other} #1`), { what: `${other} to be handled` });
    }
    const counts = () => broker.queue('q').counts();
    await waitFor(async () => (await counts()).unacked <= 1, { what: 'the others to be settled' });
    expect(await counts()).toMatchObject({ unacked: 1, delayed: 0, ready: 0 });
    end();

    // then it has failed all the same, and is tried again
    await waitFor(() => events.includes('slow #2'), { what: 'the second attempt' });
    expect(events).toEqual(['slow #1', 'aborted', 'b #1', 'c #1', 'ended', 'slow #2']);
    await close();
  });

  it.each([
    ['message', false],
    ['batch', true],
  ])(
    'and never ends, of a %s, is given up: it is retried with a new signal and a higher deliveryCount, then dead-lettered',
    async (_what, isBatch) => {
      // given a handler that never settles for one message, in a consumer with one place
      const { broker, close } = await openBroker(server, ownPrefix());
      await broker.declare({ queues: [{ name: 'q' }, { name: 'q.dead-letters' }] });
      const seen: string[] = [];
      const late: unknown[] = [];
      broker.events.on('late-outcome', ({ attempt, outcome }) => late.push({ attempt, outcome }));
      let end: (value: unknown) => void = () => undefined;
      const handle = (payload: unknown, { attempt, deliveryCount, signal }: MessageContext): unknown => {
        seen.push(`${payload} ${attempt} ${deliveryCount} ${signal.aborted}`);
        return payload === 'poison' ? new Promise((resolve) => (end = resolve)) : undefined;
      };
      const consumer = broker.consumer({
        queue: 'q',
        concurrency: 1,
        handlerTimeoutMs: 100,
        abortGraceMs: 50,
        retry: { maxRetries: 1, backoff: 1 },
        ...(isBatch
          ? {
              batch: { maxMessages: 1, maxWaitMs: 0 },
              batchHandler: ([message]) => message && handle(message.payload, message.context),
            }
          : { handler: handle }),
      });

      // when it meets that message
      await broker.sendToQueue('q', 'poison');
      await consumer.start();
      await waitFor(async () => (await broker.queue('q.dead-letters').counts()).ready === 1, {
        what: 'the dead letter',
      });

      // then each attempt had its own signal and count, the place is free, and what comes late is reported
      expect(seen).toEqual(['poison 1 0 false', 'poison 2 1 false']);
      await broker.sendToQueue('q', 'next');
      await waitFor(() => seen.includes('next 1 0 false'), { what: 'the next message' });
      end(undefined);
      await waitFor(() => late.length > 0, { what: 'the late outcome' });
      expect(late).toEqual([{ attempt: 2, outcome: 'completed' }]);
      await close();
    },
  );

  it('does not reply to its request any more: the requester gets the failure', async () => {
    // given a handler that replies long after its grace
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declare({ queues: [{ name: 'q' }] });
    let end: (value: unknown) => void = () => undefined;
    const late: string[] = [];
    broker.events.on('late-outcome', ({ outcome }) => late.push(outcome));
    const consumer = broker.consumer({
      queue: 'q',
      handlerTimeoutMs: 10,
      abortGraceMs: 10,
      handler: () => new Promise((resolve) => (end = resolve)),
    });
    await consumer.start();

    // when a request comes
    const asked = broker.request('', 'q', 1);

    // then its requester gets the deadline's error, and the late reply is dropped
    await expect(asked).rejects.toThrow(/did not end within 10 ms/);
    end('late');
    await waitFor(() => late.length > 0, { what: 'the late outcome' });
    await close();
  });
});
