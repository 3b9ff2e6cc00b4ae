import { afterAll, expect, it } from '@jest/globals';
import { startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

afterAll(stopEverything);

it('a redrive that waits for its rate ends when its signal is aborted', async () => {
  // given two dead letters, and a redrive that sends one per day
  const { broker, close } = await openBroker(await startRedis(), ownPrefix());
  for (const name of ['dead', 'to']) await broker.declareQueue({ name });
  for (const body of [1, 2]) await broker.sendToQueue('dead', body);
  const abort = new AbortController();
  const rate = { limit: 1, intervalMs: 86_400_000 };
  const letters = broker.queue('dead').deadLetters;
  const redrive = letters.redrive({ to: { queue: 'to' }, rate, signal: abort.signal });
  await waitFor(async () => (await broker.queue('to').counts()).ready === 1, { what: 'the first to be sent' });
  // when
  abort.abort();
  // then
  expect((await redrive).redriven).toBe(1);
  expect(await broker.queue('dead').counts()).toMatchObject({ ready: 1 });
  await close();
});
