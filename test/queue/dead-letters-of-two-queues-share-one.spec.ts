import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

const count = 50;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(stopEverything);

it('two queues that share one for their dead letters lose none, though copies of a message die in the same millisecond', async () => {
  // given: an exchange that gives each of two queues a copy
  const { broker, close } = await openBroker(server, ownPrefix());
  const deadLetter = { exchange: '', routingKey: 'graveyard' };
  await broker.declare({
    exchanges: [{ name: 'all', type: 'fanout' }],
    queues: [{ name: 'graveyard' }, { name: 'a', deadLetter }, { name: 'b', deadLetter }],
    bindings: [
      { exchange: 'all', queue: 'a' },
      { exchange: 'all', queue: 'b' },
    ],
  });
  const properties = (n: number) => (n % 2 === 0 ? { messageId: `invoice~~${n}` } : {});
  await broker.publishBatch(
    Array.from({ length: count }, (_, n) => ({ exchange: 'all', routingKey: '', body: n, properties: properties(n) })),
  );
  // when: every copy is given up
  const handler = () => {
    throw new Error('on purpose');
  };
  for (const queue of ['a', 'b']) await broker.consumer({ queue, retry: false, concurrency: 50, handler }).start();
  // then
  const graveyard = broker.queue('graveyard');
  await waitFor(async () => (await graveyard.counts()).ready === 2 * count, { what: 'all dead letters to arrive' });
  const { messages } = await graveyard.deadLetters.list({ limit: 1000 });
  const found = messages.map((message) => `${message.payload()} of ${message.deaths[0]?.queue}`).sort();
  expect(found).toEqual(
    Array.from({ length: count }, (_, n) => [`${n} of a`, `${n} of b`])
      .flat()
      .sort(),
  );
  await waitFor(async () => (await broker.queue('a').counts()).dying === 0, {
    what: 'those of a to be forgotten there',
  });
  await close();
});
