import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(stopEverything);

/** A process that dies soon after it has asked: it takes nothing back. */
async function askAndDie(prefix: string, timeoutMs: number): Promise<void> {
  const { broker, connection } = await openBroker(server, prefix);
  const asked = broker.request('', 'q', 'why', { timeoutMs }).catch(() => undefined);
  await waitFor(async () => (await server.client().hlen(`${prefix}:{queue:q}:messages`)) === 1, {
    what: 'the request',
  });
  connection.close();
  await asked;
}

describe('a request whose requester is gone', () => {
  it('leaves its handler no longer than the requester would have waited', async () => {
    // given a handler that has no deadline of its own
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q' });
    await askAndDie(prefix, 2000);
    // when
    let reason: unknown;
    const handler = (_payload: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason;
          resolve();
        });
      });
    await broker.consumer({ queue: 'q', handlerTimeoutMs: 0, handler }).start();
    // then
    await waitFor(() => reason !== undefined, { what: 'the deadline' });
    expect(reason).toMatchObject({ name: 'DeadlineExceededError' });
    await close();
  });

  it('expires, and is no dead letter', async () => {
    // given a consumer of a paused queue with dead letters
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declare({
      queues: [{ name: 'q', deadLetter: { queue: 'q.dead-letters' } }, { name: 'q.dead-letters' }],
    });
    await broker.queue('q').pause();
    const seen: unknown[] = [];
    await broker.consumer({ queue: 'q', handler: (payload) => void seen.push(payload) }).start();
    // when a request and a message expire in it
    await askAndDie(prefix, 500);
    await broker.sendToQueue('q', 'a message', { expirationMs: 1 });
    const { deadLetters } = broker.queue('q.dead-letters');
    const count = () => server.client().hlen(`${prefix}:{queue:q}:messages`);
    await waitFor(async () => (await count()) === 0, { what: 'both to go' });
    await waitFor(async () => (await deadLetters.list()).messages.length > 0, {
      what: 'the dead letter of the message',
    });
    // then
    expect((await deadLetters.list()).messages.map((letter) => letter.payload())).toEqual(['a message']);
    expect(seen).toEqual([]);
    await close();
  });
});
