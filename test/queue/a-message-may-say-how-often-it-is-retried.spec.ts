import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InvalidMessageError } from '@millrace/core';
import type { ConsumerInput, MessageContext } from '@millrace/queue';
import { startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a message that says how often it is retried', () => {
  let server: Awaited<ReturnType<typeof startRedis>>;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  /** A queue whose handler always fails. */
  async function failing(options: Partial<ConsumerInput> = {}) {
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    const attempts: { context: MessageContext; at: number }[] = [];
    const handler = (_payload: unknown, context: MessageContext): never => {
      attempts.push({ context, at: performance.now() });
      throw new TypeError('no');
    };
    await broker.consumer({ queue: 'q', ...(options.batchHandler ? {} : { handler }), ...options }).start();
    const letters = broker.queue('q.dead-letters');
    const dead = (count = 1) =>
      waitFor(async () => (await letters.counts()).ready === count, { what: `${count} dead letters` });
    return { broker, close, attempts, letters: letters.deadLetters, dead };
  }

  it('is retried so often, whatever its consumer says, and again when it was sent back', async () => {
    // given
    const { broker, close, attempts, letters, dead } = await failing({ retry: false });
    const retry = { maxRetries: 2, backoff: 0 };
    // when
    await broker.sendToQueue('q', 1, { retry, headers: { a: 'b' } });
    await dead();
    // then
    expect(attempts.map(({ context }) => context.attempt)).toEqual([1, 2, 3]);
    expect(attempts[0]?.context).toMatchObject({ headers: { a: 'b' }, properties: { retry } });
    expect(attempts[0]?.context.headers).toEqual({ a: 'b' });
    // when
    await letters.redrive();
    await waitFor(() => attempts.length === 6, { what: 'three more attempts' });
    await dead();
    expect(attempts[5]?.context).toMatchObject({ attempt: 3, properties: { retry } });
    await close();
  });

  it('is not retried when it says so; one beside it that says nothing is', async () => {
    const { broker, close, attempts, dead } = await failing({ retry: { maxRetries: 1, backoff: 0 } });
    await broker.sendToQueue('q', 1, { messageId: 'once', retry: { maxRetries: 0 } });
    await broker.sendToQueue('q', 2, { messageId: 'twice' });
    await dead(2);
    const ids = attempts.map(({ context }) => context.messageId).sort();
    expect(ids).toEqual(['once', 'twice', 'twice']);
    await close();
  });

  it('waits as long as it says before a retry', async () => {
    const { broker, close, attempts, dead } = await failing({ retry: { maxRetries: 1, backoff: 0 } });
    await broker.sendToQueue('q', 1, { retry: { backoff: { kind: 'fixed', delayMs: 300 } } });
    await dead();
    expect(attempts).toHaveLength(2);
    expect((attempts[1]?.at ?? 0) - (attempts[0]?.at ?? 0)).toBeGreaterThan(290);
    await close();
  });

  it('leaves the rules of its consumer for certain errors', async () => {
    const rules = [{ when: TypeError, do: 'dead-letter' as const }];
    const { broker, close, attempts, dead } = await failing({ retry: { rules } });
    await broker.sendToQueue('q', 1, { retry: { maxRetries: 5, backoff: 0 } });
    await dead();
    expect(attempts).toHaveLength(1);
    await close();
  });

  it('is heard in a batch, too', async () => {
    let calls = 0;
    const batchHandler = (): never => {
      calls++;
      throw new TypeError('no');
    };
    const { broker, close, dead } = await failing({ batchHandler, batch: { maxWaitMs: 0 }, retry: false });
    await broker.sendToQueue('q', 1, { retry: { maxRetries: 2, backoff: 0 } });
    await dead();
    expect(calls).toBe(3);
    await close();
  });

  it.each([
    [3, /retry must be \{ maxRetries, backoff \}, got 3/],
    [{ maxRetries: -1 }, /retry is wrong: \.maxRetries must be a whole number of at least 0, got -1/],
    [{ maxRetries: 1, attempts: 3 }, /\.attempts is unknown/],
    [{ backoff: () => 5 }, /\.backoff must be plain data, since a function cannot be stored/],
    [
      { maxRetries: 0.5, backoff: { kind: 'never' } },
      /\.maxRetries must be .*got 0\.5; \.backoff\.kind must be one of/,
    ],
  ])('is refused when that is malformed: %j', async (retry, message) => {
    const { broker, close } = await failing();
    const sending = broker.sendToQueue('q', 1, { retry: retry as never });
    await expect(sending).rejects.toThrow(InvalidMessageError);
    await expect(sending).rejects.toThrow(message);
    await close();
  });
});
