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
    const body = 'x'.repeat(1000);
    const publish = () =>
      broker.publishBatch(Array.from({ length: 50 }, () => ({ exchange: '', routingKey: 'q', body })));
    let confirmed = 0;
    let failure: unknown;
    while (failure === undefined) {
      await publish().then(
        () => {
          confirmed += 50;
        },
        (error: unknown) => {
          failure = error;
        },
      );
    }
    expect(failure).toMatchObject({ failure: 'full' });
    // when
    let calls = 0;
    const handler = () => {
      if (++calls <= 30) throw new Error('the first ones fail');
    };
    await broker.consumer({ queue: 'q', retry: { maxRetries: 1, backoff: 1 }, handler }).start();
    // then
    const isDrained = async () => {
      const { ready, delayed, unacked, dying } = await broker.queue('q').counts();
      return ready + delayed + unacked + dying === 0;
    };
    await waitFor(isDrained, { what: 'the queue to be drained' });
    expect(calls).toBeGreaterThanOrEqual(confirmed);
    await broker.sendToQueue('q', 'there is room again');
    await close();
  });
});
