import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { ConsumerInput } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

const count = 400;
const inOrder = Array.from({ length: count }, (_, n) => n);

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(stopEverything);

/** A consumer whose handlers note what they get, and a publisher with a connection of its own. */
async function consumed(input: Partial<ConsumerInput>) {
  const prefix = ownPrefix();
  const { broker: publisher, close } = await openBroker(server, prefix);
  const consuming = await openBroker(server, prefix);
  await publisher.declareQueue({ name: 'q' });
  const handled: unknown[] = [];
  const consumer = () =>
    consuming.broker.consumer({
      queue: 'q',
      concurrency: 1,
      handler: (payload) => void handled.push(payload),
      ...input,
    });
  const first = consumer();
  await first.start();
  const end = async (): Promise<void> => {
    await consuming.close();
    await close();
  };
  return { publisher, first, consumer, handled, end };
}

it.each<[string, Partial<ConsumerInput>]>([
  ['as many as it likes to hold', {}],
  ['one by one', { prefetch: 1 }],
  ['fifty at a time', { prefetch: 50 }],
])('a lone consumer that takes %s handles in order what is published one after the other', async (_, input) => {
  // given
  const { publisher, handled, end } = await consumed(input);
  // when
  for (const n of inOrder) await publisher.sendToQueue('q', n);
  // then
  await waitFor(() => handled.length === count, { what: 'all to be handled' });
  expect(handled).toEqual(inOrder);
  await end();
});

it('a lone consumer handles in order what comes in bursts', async () => {
  // given
  const { publisher, handled, end } = await consumed({});
  // when: one message or a few, while the consumer has just begun to wait or still works
  for (let n = 0; n < count; ) {
    const burst = inOrder.slice(n, n + 1 + (n % 7));
    await Promise.all(burst.map((each) => publisher.sendToQueue('q', each)));
    n += burst.length;
  }
  // then
  await waitFor(() => handled.length === count, { what: 'all to be handled' });
  expect(handled).toEqual(inOrder);
  await end();
});

it('a lone consumer handles batches in order', async () => {
  // given
  const handled: unknown[] = [];
  const { publisher, end } = await consumed({
    handler: undefined,
    batchHandler: (messages) => void handled.push(...messages.map(({ payload }) => payload)),
    batch: { maxMessages: 5, maxWaitMs: 5 },
  });
  // when
  for (const n of inOrder) await publisher.sendToQueue('q', n);
  // then
  await waitFor(() => handled.length === count, { what: 'all to be handled' });
  expect(handled).toEqual(inOrder);
  await end();
});

it.each<[string, Partial<ConsumerInput>]>([
  ['as many as it likes to hold', {}],
  ['fifty at a time', { prefetch: 50 }],
])(
  'a consumer that takes %s, and is stopped in the middle, leaves to the next what it has not handled in order',
  async (_, input) => {
    for (let round = 0; round < 8; round++) {
      // given
      const handled: unknown[] = [];
      const handler = async (payload: unknown) => {
        await new Promise(setImmediate);
        handled.push(payload);
      };
      const { publisher, first, consumer, end } = await consumed({ ...input, handler });
      // when: messages come while it stops
      let published = 0;
      const publishing = (async () => {
        while (published < count / 2) {
          const burst = inOrder.slice(published, published + 1 + (published % 4));
          published += burst.length;
          await Promise.all(burst.map((each) => publisher.sendToQueue('q', each)));
        }
      })();
      await waitFor(() => handled.length > 10 * round, { what: 'some to be handled' });
      await first.stop();
      await publishing;
      await consumer().start();
      // then
      await waitFor(() => handled.length === published, { what: 'all to be handled' });
      expect(handled).toEqual(inOrder.slice(0, published));
      await end();
    }
  },
);
