import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { QueueConsumer } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { type OpenBroker, openBroker, ownPrefix } from './broker.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(stopEverything);

/** Handles a and b, one at a time, with no deadline that could end a handler that waits for itself. */
async function handle(act: (consumer: QueueConsumer, own: OpenBroker) => unknown, isBatch = false) {
  const prefix = ownPrefix();
  const [own, other] = [await openBroker(server, prefix), await openBroker(server, prefix)];
  await other.broker.declare({ queues: [{ name: 'q' }] });
  for (const payload of ['a', 'b']) await other.broker.sendToQueue('q', payload);
  const seen: unknown[] = [];
  const on = async (payload: unknown): Promise<void> => {
    seen.push(payload);
    await new Promise(setImmediate);
    await act(consumer, own);
    seen.push(`${payload} ended`);
  };
  const consumer = own.broker.consumer({
    queue: 'q',
    concurrency: 1,
    handlerTimeoutMs: 0,
    ...(isBatch
      ? { batch: { maxMessages: 1, maxWaitMs: 0 }, batchHandler: ([message]) => on(message?.payload) }
      : { handler: on }),
  });
  await consumer.start();
  const left = async (): Promise<unknown> => {
    const { ready, unacked } = await other.broker.queue('q').counts();
    return { ready, unacked };
  };
  const close = async (): Promise<void> => {
    await own.close();
    await other.close();
  };
  return { consumer, seen, left, close };
}

describe('a handler that awaits its own consumer', () => {
  it.each([
    ['consumer', 'message', false, (consumer: QueueConsumer) => consumer.stop()],
    ['consumer', 'batch', true, (consumer: QueueConsumer) => consumer.stop()],
    ['broker', 'message', false, (_consumer: QueueConsumer, { broker }: OpenBroker) => broker.close()],
  ])('is acknowledged, and nothing more is started, when it stops its %s (%s)', async (_what, _unit, isBatch, stop) => {
    const { consumer, seen, left, close } = await handle(stop, isBatch);
    await waitFor(() => consumer.status.state === 'stopped', { what: 'the stop' });
    expect(seen).toEqual(['a', 'a ended']);
    await waitFor(async () => JSON.stringify(await left()) === '{"ready":1,"unacked":0}', { what: 'the settlement' });
    await close();
  });

  it('is acknowledged, and nothing more is taken, when it pauses, until it resumes', async () => {
    const { consumer, seen, left, close } = await handle((own) => own.pause());
    await waitFor(() => seen.includes('a ended'), { what: 'the first message' });
    expect(consumer.status.state).toBe('paused');
    await waitFor(async () => JSON.stringify(await left()) === '{"ready":1,"unacked":0}', { what: 'the settlement' });
    expect(seen).toEqual(['a', 'a ended']);
    consumer.resume();
    await waitFor(async () => JSON.stringify(await left()) === '{"ready":0,"unacked":0}', { what: 'the rest' });
    await close();
  });
});
