import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ConsumerInput, MessageContext } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { type OpenBroker, openBroker, ownPrefix } from './broker.js';

const fortyDaysMs = 40 * 86_400_000;
const never = Number.POSITIVE_INFINITY;

/** A handler that ends on demand. */
class HeldHandler {
  readonly contexts: MessageContext[] = [];
  #end: () => void = () => undefined;
  readonly #ended = new Promise<void>((resolve) => {
    this.#end = resolve;
  });

  readonly handle = async (_payload: unknown, context: MessageContext): Promise<string> => {
    this.contexts.push(context);
    await this.#ended;
    return context.signal.aborted ? 'aborted' : 'done';
  };

  async began(): Promise<MessageContext> {
    const [context] = await waitFor(() => (this.contexts.length > 0 ? this.contexts : undefined), {
      what: 'a handler',
    });
    if (context === undefined) throw new Error('it has begun');
    return context;
  }

  end(): void {
    this.#end();
  }
}

let redis: RedisServer;
let opened: OpenBroker;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

/** Time enough for a timer that fires immediately, which is one of a millisecond: Redis waits for longer. */
async function aWhile(): Promise<void> {
  await redis.client().call('BLPOP', 'nothing-ever', 0.02);
}

async function consuming(
  consumer: Omit<ConsumerInput, 'queue'>,
): Promise<ReturnType<OpenBroker['broker']['consumer']>> {
  opened = await openBroker(redis, ownPrefix());
  await opened.broker.declareQueue({ name: 'work' });
  const consuming = opened.broker.consumer({ queue: 'work', retry: false, ...consumer });
  await consuming.start();
  return consuming;
}

describe('a queue handler', () => {
  it.each([fortyDaysMs, never])('has %d ms when it was given them', async (handlerTimeoutMs) => {
    // given
    const handler = new HeldHandler();
    await consuming({ handler: handler.handle, handlerTimeoutMs });
    // when
    const reply = opened.broker.request('', 'work', 'a question', { timeoutMs: handlerTimeoutMs });
    await handler.began();
    await aWhile();
    handler.end();
    // then
    expect(await reply).toBe('done');
    await opened.close();
  });

  it.each([fortyDaysMs, never])('has %d ms more when it asks for them', async (timeoutMs) => {
    // given
    const handler = new HeldHandler();
    await consuming({ handler: handler.handle, keepResultMs: 60_000 });
    const { messageId } = await opened.broker.sendToQueue('work', 'a task');
    // when
    (await handler.began()).extend(timeoutMs);
    await aWhile();
    handler.end();
    // then
    const state = () => opened.broker.queue('work').message(messageId);
    await waitFor(async () => (await state())?.state === 'completed', { what: 'the result' });
    expect(await state()).toMatchObject({ result: 'done' });
    expect(() => handler.contexts[0]?.extend(Number.NaN)).toThrow('extend() takes a number of ms, got NaN.');
    await opened.close();
  });

  it('has as long as it takes when its consumer is stopped without a deadline', async () => {
    // given
    const handler = new HeldHandler();
    const consumer = await consuming({ handler: handler.handle });
    await opened.broker.sendToQueue('work', 'a task');
    await handler.began();
    // when
    let isStopped = false;
    const stopped = consumer.stop({ deadlineMs: never }).then(() => {
      isStopped = true;
    });
    await aWhile();
    expect([isStopped, handler.contexts[0]?.signal.aborted]).toEqual([false, false]);
    handler.end();
    // then
    await stopped;
    expect(await opened.broker.queue('work').counts()).toMatchObject({ ready: 0, unacked: 0 });
    await opened.close();
  });

  it('is asked within a time, or not at all', async () => {
    // given
    await consuming({ handler: () => 'done' });
    // when
    const ask = (timeoutMs: number) => opened.broker.request('', 'work', 'a question', { timeoutMs });
    // then
    for (const wrong of [Number.NaN, 0, -1, 2.5]) {
      await expect(ask(wrong)).rejects.toThrow('timeoutMs must be a whole number of at least 1, got');
    }
    await opened.close();
  });
});
