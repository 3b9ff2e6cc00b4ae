import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';
import { spawnConsumer } from './consuming.js';

/** Every third has an id that its publisher gave. */
const held = Array.from({ length: 20 }, (_, n) => ({
  exchange: '',
  routingKey: 'q',
  body: { n, hang: true },
  properties: n % 3 === 0 ? { messageId: `id ${20 - n}` } : {},
}));

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(stopEverything);

it('what a consumer held when it was killed comes again in its order, before what waited behind it', async () => {
  // given a process that holds twenty messages, and two more that wait
  const prefix = ownPrefix();
  const { broker, close } = await openBroker(server, prefix);
  await broker.declareQueue({ name: 'q' });
  await broker.publishBatch(held);
  const victim = await spawnConsumer(server, prefix, 'q', { concurrency: 20, prefetch: 20 });
  await waitFor(() => victim.lines.filter((line) => line.startsWith('got')).length === 20, {
    what: 'twenty to be held',
  });
  await broker.publishBatch([20, 21].map((n) => ({ exchange: '', routingKey: 'q', body: { n } })));

  // when it is killed while a lone consumer stands by
  const seen: unknown[] = [];
  const heir = broker.consumer({
    queue: 'q',
    concurrency: 1,
    prefetch: 1,
    handler: (payload) => void seen.push((payload as { n: number }).n),
  });
  await broker.queue('q').pause();
  await heir.start();
  await victim.kill();
  await waitFor(async () => (await broker.queue('q').counts()).ready === 22, { what: 'the death to be noticed' });
  await broker.queue('q').resume();

  // then
  await waitFor(() => seen.length === 22, { what: 'all to be handled' });
  expect(seen).toEqual(Array.from({ length: 22 }, (_, n) => n));
  await close();
});
