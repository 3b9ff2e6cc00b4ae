import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';
import { spawnConsumer } from './consuming.js';

describe('a message', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('can be followed from waiting over running to its result', async () => {
    // given
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    const queue = broker.queue('q');
    await broker.sendToQueue('q', 'work', { messageId: 'm' });
    expect(await queue.message('m')).toMatchObject({ state: 'ready' });
    let end = (_answer: string): void => undefined;
    const consumer = broker.consumer({
      queue: 'q',
      keepResultMs: 60_000,
      handler: async (_, context) => {
        await context.progress({ percent: 50 });
        return new Promise((resolve) => {
          end = resolve;
        });
      },
    });
    // when
    await consumer.start();
    // then
    const running = await waitFor(
      async () => {
        const found = await queue.message('m');
        return found?.progress === undefined ? undefined : found;
      },
      { what: 'progress' },
    );
    expect(running).toMatchObject({ state: 'running', progress: { percent: 50 }, consumer: consumer.status.consumer });
    end('forty-two');
    const completed = await waitFor(
      async () => {
        const found = await queue.message('m');
        return found?.state === 'completed' ? found : undefined;
      },
      { what: 'the result' },
    );
    expect(completed).toMatchObject({ result: 'forty-two', attempt: 1 });
    expect(await queue.message('other')).toBeUndefined();
    await close();
  });

  it('is removed immediately when it is cancelled while it waits', async () => {
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    for (let n = 0; n < 3; n++) await broker.sendToQueue('q', n, { messageId: `m${n}` });
    const queue = broker.queue('q');
    expect(await queue.cancel('m1')).toBe('cancelled');
    expect(await queue.counts()).toMatchObject({ ready: 2 });
    const seen: unknown[] = [];
    await broker.consumer({ queue: 'q', handler: (payload) => void seen.push(payload) }).start();
    await waitFor(() => seen.length === 2, { what: 'the others' });
    expect(seen).toEqual([0, 2]);
    expect(await queue.counts()).toMatchObject({ ready: 0 });
    await close();
  });

  it('has its handler aborted when it is cancelled while it runs in another process, and is not handled again', async () => {
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q' });
    const other = await spawnConsumer(server, prefix, 'q');
    await broker.sendToQueue('q', { hang: true }, { messageId: 'm' });
    await other.waitForLine('got m');
    expect(await broker.queue('q').cancel('m')).toBe('cancelling');
    await other.waitForLine('aborted MessageCancelledError');
    await waitFor(async () => (await broker.queue('q').message('m')) === undefined, { what: 'it to be gone' });
    expect(other.lines.filter((line) => line.startsWith('got'))).toHaveLength(1);
    await other.stop();
    await close();
  });

  it('that was cancelled is gone with its consumer, if that dies before it learns of it', async () => {
    // given: a process that holds a message, and stands still
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q' });
    const victim = await spawnConsumer(server, prefix, 'q', { leaseMs: 3_600_000 });
    await broker.sendToQueue('q', { hang: true }, { messageId: 'm' });
    await victim.waitForLine('got m');
    await waitFor(async () => (await broker.queue('q').message('m'))?.state === 'running', {
      what: 'it to be claimed',
    });
    await victim.freeze();
    // when
    expect(await broker.queue('q').cancel('m')).toBe('cancelling');
    const seen: unknown[] = [];
    await broker.consumer({ queue: 'q', handler: (payload) => void seen.push(payload) }).start();
    await victim.kill();
    // then
    await waitFor(async () => (await broker.queue('q').counts()).consumers === 1, { what: 'the death to be noticed' });
    await waitFor(async () => (await broker.queue('q').message('m')) === undefined, { what: 'it to be gone' });
    await broker.sendToQueue('q', 'the next');
    await waitFor(() => seen.length === 1, { what: 'the next' });
    expect(seen).toEqual(['the next']);
    await close();
  });
});
