import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pause } from '@millrace/core';
import { type RedisServer, startRedis, stopEverything } from '@millrace/testing';
import { type OpenBroker, openBroker, ownPrefix } from './broker.js';

const timeoutMs = 3000;

describe('a stream of replies', () => {
  let server: RedisServer;
  let open: OpenBroker;
  beforeAll(async () => {
    server = await startRedis();
    open = await openBroker(server, ownPrefix());
  });
  afterAll(async () => {
    await open.close();
    await stopEverything();
  });

  it('lasts longer than its timeout when each reply comes within it', async () => {
    // given a handler that yields often, for longer than the timeout
    await open.broker.declareQueue({ name: 'rows' });
    const handler = async function* () {
      const until = performance.now() + timeoutMs + 1000;
      for (let row = 0; performance.now() < until; row++) {
        yield row;
        await pause(100);
      }
      yield 'last';
    };
    await open.broker.consumer({ queue: 'rows', handler }).start();
    // when
    let last: unknown;
    for await (const row of open.broker.requestStream('', 'rows', 1, { timeoutMs })) last = row;
    // then
    expect(last).toBe('last');
  });

  it('is ended when its handler is silent for the timeout', async () => {
    await open.broker.declareQueue({ name: 'silent' });
    const handler = async function* () {
      yield 1;
      await new Promise(() => undefined);
    };
    await open.broker.consumer({ queue: 'silent', abortGraceMs: 0, handler }).start();
    const stream = open.broker.requestStream('', 'silent', 1, { timeoutMs })[Symbol.asyncIterator]();
    await expect(stream.next()).resolves.toMatchObject({ value: 1 });
    await expect(stream.next()).rejects.toThrow(/did not end within 3000 ms|no reply within 3000 ms/);
  });
});
