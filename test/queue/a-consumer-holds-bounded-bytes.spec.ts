import { afterAll, describe, expect, it } from '@jest/globals';
import { startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a consumer', () => {
  afterAll(stopEverything);

  it('holds no more bytes of messages than it may, and one message in any case', async () => {
    // given: 20 messages of 100 kB and one of 500, and a consumer that could run them all but may hold 350 kB
    const server = await startRedis();
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    const sizes = [...Array.from({ length: 20 }, () => 100_000), 500_000];
    await broker.publishBatch(
      sizes.map((bytes) => ({ exchange: '', routingKey: 'q', body: { text: 'x'.repeat(bytes) } })),
    );
    const running: (() => void)[] = [];
    const held: number[] = [];
    let handled = 0;
    const consumer = broker.consumer({
      queue: 'q',
      concurrency: 50,
      maxHeldBytes: 350_000,
      handler: async () => {
        held.push(consumer.status.held);
        await new Promise<void>((resolve) => running.push(resolve));
        handled++;
      },
    });
    // when
    await consumer.start();
    await waitFor(async () => (await broker.queue('q').counts()).unacked === 3, { what: 'three to be held' });
    for (const _ of sizes) {
      const end = await waitFor(() => running.shift(), { what: 'a handler' });
      end();
    }
    // then
    await waitFor(() => handled === sizes.length, { what: 'all to be handled' });
    expect(Math.max(...held)).toBe(3);
    await waitFor(async () => (await broker.queue('q').counts()).unacked === 0, { what: 'all to be settled' });
    await close();
  });
});
