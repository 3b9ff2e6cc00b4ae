import { afterAll, describe, expect, it } from '@jest/globals';
import { startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a Redis that is full', () => {
  afterAll(stopEverything);

  it('can be drained: messages are taken, retried, dead-lettered and acknowledged', async () => {
    // given
    const server = await startRedis({ maxmemory: '4mb' });
    const { broker, close } = await openBroker(server, ownPrefix(), { deliveryTimeoutMs: 300 });
    await broker.declareQueue({ name: 'q' });
    await broker.declareQueue({ name: 'q.dead-letters' });
    const text = 'x'.repeat(1000);
    const messages = (from: number) =>
      Array.from({ length: 50 }, (_, n) => ({ exchange: '', routingKey: 'q', body: { n: from + n, text } }));
    let confirmed = 0;
    let failure: unknown;
    while (failure === undefined) {
      await broker.publishBatch(messages(confirmed)).then(
        () => {
          confirmed += 50;
        },
        (error: unknown) => {
          failure = error;
        },
      );
    }
    expect(failure).toMatchObject({ failure: 'full' });
    // Of the batch that failed the first messages may be there: half a burst goes before the other.
    const { ready: count } = await broker.queue('q').counts();
    expect(count).toBeGreaterThanOrEqual(confirmed);
    // when every tenth fails once, and one of those every time
    const handled = new Set<number>();
    const handler = (payload: unknown, { attempt }: { attempt: number }) => {
      const { n } = payload as { n: number };
      if (n % 50 === 0 || (n % 10 === 0 && attempt === 1)) throw new Error('every tenth fails');
      handled.add(n);
    };
    await broker.consumer({ queue: 'q', retry: { maxRetries: 1, backoff: 1 }, handler }).start();
    // then
    const isDrained = async () => {
      const { ready, delayed, unacked, dying } = await broker.queue('q').counts();
      return ready + delayed + unacked + dying === 0;
    };
    await waitFor(isDrained, { what: 'the queue to be drained' });
    const dead = await broker.queue('q.dead-letters').counts();
    const lost = Math.ceil(count / 50);
    expect({ dead: dead.ready, handled: handled.size }).toEqual({ dead: lost, handled: count - lost });
    await broker.sendToQueue('q', 'there is room again');
    await close();
  });
});
