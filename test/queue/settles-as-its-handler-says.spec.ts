import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MessageContext } from '@millrace/queue';
import { Requeue } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a message whose handler', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  /** Handles a, b and c one at a time; `onFirst` is what happens when `a` comes for the first time. */
  async function handle(onFirst: (context: MessageContext) => unknown, deliveries: number) {
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declare({ queues: [{ name: 'q', deliveryLimit: 3 }, { name: 'q.dead-letters' }] });
    for (const id of ['a', 'b', 'c']) await broker.sendToQueue('q', id, { messageId: id });
    const seen: string[] = [];
    await broker
      .consumer({
        queue: 'q',
        prefetch: 1,
        concurrency: 1,
        retry: { maxRetries: 2, backoff: 1 },
        handler: (payload, context) => {
          seen.push(`${payload} ${context.deliveryCount} ${context.attempt}`);
          return payload === 'a' ? onFirst(context) : undefined;
        },
      })
      .start();
    const queue = broker.queue('q');
    await waitFor(async () => seen.length >= deliveries && (await left(queue)) === 0, { what: 'all to be settled' });
    const { messages } = await broker.queue('q.dead-letters').ready();
    await close();
    return { seen, dead: messages.map(({ messageId, deaths }) => `${messageId} ${deaths[0]?.reason}`) };
  }

  it('gives it back comes again behind all others, or before them, as it says', async () => {
    const once = (to?: 'head') => (context: MessageContext) => {
      if (!context.redelivered) context.requeue(to && { to });
    };
    expect((await handle(once(), 4)).seen).toEqual(['a 0 1', 'b 0 1', 'c 0 1', 'a 1 1']);
    expect((await handle(once('head'), 4)).seen).toEqual(['a 0 1', 'a 1 1', 'b 0 1', 'c 0 1']);
    const thrown = (context: MessageContext) => {
      if (!context.redelivered) throw new Requeue('head');
    };
    expect((await handle(thrown, 4)).seen).toEqual(['a 0 1', 'a 1 1', 'b 0 1', 'c 0 1']);
  });

  it('gives it back every time is dead-lettered at the delivery limit, while the others are handled', async () => {
    const { seen, dead } = await handle((context) => context.requeue({ to: 'head' }), 6);
    expect(seen).toEqual(['a 0 1', 'a 1 1', 'a 2 1', 'a 3 1', 'b 0 1', 'c 0 1']);
    expect(dead).toEqual(['a delivery_limit']);
  });

  it('refuses it (nack) is retried by policy, then dead-lettered', async () => {
    const { seen, dead } = await handle((context) => context.nack(new Error('not now')), 5);
    expect(seen.filter((one) => one.startsWith('a'))).toEqual(['a 0 1', 'a 1 2', 'a 2 3']);
    expect(dead).toEqual(['a failed']);
  });

  it('rejects it is dead-lettered immediately, with its reason', async () => {
    const { seen, dead } = await handle((context) => context.reject('no such customer'), 3);
    expect(seen).toEqual(['a 0 1', 'b 0 1', 'c 0 1']);
    expect(dead).toEqual(['a rejected']);
  });

  it('acknowledges it and fails then is done with', async () => {
    const ackThenFail = (context: MessageContext) => {
      context.ack();
      throw new Error('after the fact');
    };
    const { seen, dead } = await handle(ackThenFail, 3);
    expect(seen).toEqual(['a 0 1', 'b 0 1', 'c 0 1']);
    expect(dead).toEqual([]);
  });
});

async function left(queue: { counts(): Promise<object> }): Promise<number> {
  const { consumers: _, ...counts } = { consumers: 0, ...(await queue.counts()) };
  return Object.values(counts).reduce((sum: number, count) => sum + Number(count), 0);
}
