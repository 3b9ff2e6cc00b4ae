import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { remoteDetails } from '@millrace/core';
import { RemoteError, RequestTimeoutError } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

class InsufficientFundsError extends Error {
  override name = 'InsufficientFundsError';
  readonly code = 'NO_FUNDS';
  readonly [remoteDetails]: { readonly missing: number };
  constructor(missing: number) {
    super('not enough');
    this[remoteDetails] = { missing };
  }
}

describe('a request', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  async function twoProcesses() {
    const prefix = ownPrefix();
    const [asking, answering] = [await openBroker(server, prefix), await openBroker(server, prefix)];
    await asking.broker.declareQueue({ name: 'q' });
    const close = async () => {
      await asking.close();
      await answering.close();
    };
    return { asking: asking.broker, answering: answering.broker, close, prefix };
  }

  it('gets its own reply, whatever other requests run at the same time', async () => {
    const { asking, answering, close, prefix } = await twoProcesses();
    await answering.consumer({ queue: 'q', concurrency: 50, handler: (n) => Number(n) * 2 }).start();
    const replies = await Promise.all(Array.from({ length: 500 }, (_, n) => asking.request('', 'q', n)));
    expect(replies).toEqual(Array.from({ length: 500 }, (_, n) => n * 2));
    const redis = server.client();
    await waitFor(async () => (await redis.hlen(`${prefix}:{queue:q}:messages`)) === 0, { what: 'acks' });
    await close();
  });

  it('fails with the error of its handler, which has a class of its own, and is neither retried nor dead-lettered', async () => {
    // given
    const { asking, answering, close, prefix } = await twoProcesses();
    let calls = 0;
    const handler = () => {
      calls++;
      throw new InsufficientFundsError(7);
    };
    await answering.consumer({ queue: 'q', handler }).start();
    // when
    const error = await asking.request('', 'q', {}).catch((caught: unknown) => caught);
    // then
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({
      remoteName: 'InsufficientFundsError',
      remoteCode: 'NO_FUNDS',
      details: { missing: 7 },
      message: 'InsufficientFundsError: not enough',
    });
    const redis = server.client();
    await waitFor(async () => (await redis.hlen(`${prefix}:{queue:q}:messages`)) === 0, { what: 'it to go' });
    expect(calls).toBe(1);
    expect(await server.client().exists(`${prefix}:{queue:q.dead-letters}:messages`)).toBe(0);
    await close();
  });

  it('keeps code and status of the error, and nothing that its application did not mark', async () => {
    // given
    const { asking, answering, close } = await twoProcesses();
    const secret = 'Bearer 1234';
    const http = { code: 'ERR_BAD_REQUEST', status: 401, config: { headers: { authorization: secret } } };
    const redis = { code: 42, command: { name: 'auth', args: [secret] }, [remoteDetails]: { line: 7, big: 1n } };
    const handler = (kind: unknown) => {
      throw Object.assign(new Error('no'), kind === 'http' ? http : redis);
    };
    await answering.consumer({ queue: 'q', handler }).start();
    // when
    const ask = (kind: string) => asking.request('', 'q', kind).catch((caught: unknown) => caught);
    const errors = await Promise.all([ask('http'), ask('redis')]);
    // then
    expect(errors[0]).toMatchObject({ remoteCode: 'ERR_BAD_REQUEST', remoteStatus: 401, details: {} });
    expect(errors[1]).toMatchObject({ remoteCode: 42, remoteStatus: undefined, details: { line: 7 } });
    expect(inspect(errors, { depth: null })).not.toContain(secret);
    await close();
  });

  it('times out when no reply comes, and is cancelled with its requester', async () => {
    const { asking, close, prefix } = await twoProcesses();
    const error = await asking.request('', 'q', {}, { timeoutMs: 100 }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(RequestTimeoutError);
    const redis = server.client();
    await waitFor(async () => (await redis.hlen(`${prefix}:{queue:q}:messages`)) === 0, { what: 'it to go' });
    await close();
  });

  it('fails immediately when no queue is bound where it is published', async () => {
    const { asking, close } = await twoProcesses();
    await asking.declareExchange({ name: 'e', type: 'direct' });
    await expect(asking.request('e', 'nowhere', {})).rejects.toMatchObject({ name: 'UnroutableError' });
    await close();
  });

  it('that is cancelled has its handler cancelled, in another process', async () => {
    // given
    const { asking, answering, close } = await twoProcesses();
    let reason: unknown;
    const handler = (_: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise((_resolve, reject) => {
        isRunning = true;
        signal.addEventListener('abort', () => {
          reason = signal.reason;
          reject(signal.reason);
        });
      });
    let isRunning = false;
    await answering.consumer({ queue: 'q', handler }).start();
    const controller = new AbortController();
    const reply = asking.request('', 'q', {}, { signal: controller.signal }).catch((caught: unknown) => caught);
    await waitFor(() => isRunning, { what: 'the handler to run' });
    // when
    controller.abort(new Error('changed my mind'));
    // then
    expect(await reply).toEqual(new Error('changed my mind'));
    await waitFor(() => reason, { what: "the handler's signal" });
    expect(reason).toMatchObject({ name: 'MessageCancelledError' });
    await close();
  });

  it('can have a stream of replies, in order, no faster than it is read', async () => {
    // given
    const { asking, answering, close } = await twoProcesses();
    let yielded = 0;
    const handler = async function* (count: unknown) {
      for (let n = 0; n < Number(count); n++) {
        yielded++;
        yield n;
      }
    };
    await answering.consumer({ queue: 'q', handler }).start();
    // when
    const seen: unknown[] = [];
    let before = 0;
    const standsStill = (): boolean => {
      const isSame = yielded > 100 && yielded === before;
      before = yielded;
      return isSame;
    };
    for await (const value of asking.requestStream('', 'q', 1000)) {
      seen.push(value);
      if (seen.length === 1) await waitFor(standsStill, { what: 'the responder to wait', intervalMs: 100 });
      expect(yielded).toBeLessThan(seen.length + 200);
    }
    // then
    expect(seen).toEqual(Array.from({ length: 1000 }, (_, n) => n));
    await close();
  });

  it('can have a stream of replies from a generator that is not async', async () => {
    // given
    const { asking, answering, close } = await twoProcesses();
    function* handler(count: unknown) {
      for (let n = 0; n < Number(count); n++) yield n;
    }
    await answering.consumer({ queue: 'q', handler }).start();
    // when
    const seen: unknown[] = [];
    for await (const value of asking.requestStream('', 'q', 3)) seen.push(value);
    // then
    expect(seen).toEqual([0, 1, 2]);
    await close();
  });

  it.each([1, 5, 200])(
    'gets all %i replies of its stream that were yielded before the error, then the error',
    async (count) => {
      // given
      const { asking, answering, close } = await twoProcesses();
      const throws = async function* () {
        for (let n = 0; n < count; n++) yield n;
        throw new InsufficientFundsError(1);
      };
      const yieldsWhatIsNoJson = function* () {
        for (let n = 0; n < count; n++) yield n;
        yield 1n;
      };
      await answering.consumer({ queue: 'q', handler: (how) => (how === 1 ? throws() : yieldsWhatIsNoJson()) }).start();
      for (const [how, name] of ['InvalidMessageError', 'InsufficientFundsError'].entries()) {
        // when
        const seen: unknown[] = [];
        const error = await readInto(seen, asking.requestStream('', 'q', how)).catch((caught: unknown) => caught);
        // then
        expect(seen).toEqual(Array.from({ length: count }, (_, n) => n));
        expect(error).toMatchObject({ remoteName: name });
      }
      await close();
    },
  );

  it('is answered out of a batch as well: each by its own result, error, or nothing', async () => {
    // given
    const { asking, answering, close, prefix } = await twoProcesses();
    const batchHandler = (messages: readonly { readonly payload: unknown }[]) =>
      messages.map(({ payload }) => (payload === 'bad' ? new InsufficientFundsError(3) : payload && `${payload}!`));
    await answering.consumer({ queue: 'q', batch: { maxMessages: 4, maxWaitMs: 20 }, batchHandler }).start();
    // when
    const ask = (body: unknown) => asking.request('', 'q', body).catch((error: unknown) => error);
    const replies = await Promise.all(['a', 'bad', 'b', null].map(ask));
    // then
    expect(replies).toEqual(['a!', expect.any(RemoteError), 'b!', null]);
    expect(replies[1]).toMatchObject({ remoteCode: 'NO_FUNDS', details: { missing: 3 } });
    const redis = server.client();
    await waitFor(async () => (await redis.hlen(`${prefix}:{queue:q}:messages`)) === 0, { what: 'acks' });
    await close();
  });

  it('gets the error of a batch that failed as a whole', async () => {
    const { asking, answering, close } = await twoProcesses();
    const batchHandler = () => Promise.reject(new InsufficientFundsError(1));
    await answering.consumer({ queue: 'q', batch: { maxMessages: 2, maxWaitMs: 20 }, batchHandler }).start();
    const ask = (body: unknown) => asking.request('', 'q', body).catch((error: unknown) => error);
    const failure = expect.objectContaining({ name: 'RemoteError', remoteName: 'InsufficientFundsError' });
    expect(await Promise.all([ask('a'), ask('b')])).toEqual([failure, failure]);
    await close();
  });

  it('has the replies of its stream sent many at a time', async () => {
    // given
    const { asking, answering, close } = await twoProcesses();
    const handler = async function* () {
      for (let n = 0; n < 2000; n++) yield n;
    };
    await answering.consumer({ queue: 'q', handler }).start();
    const scriptCalls = async (): Promise<number> =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await server.client().info('commandstats'))?.[1] ?? 0);
    const before = await scriptCalls();
    // when
    let count = 0;
    for await (const _ of asking.requestStream('', 'q', {})) count++;
    // then: with a call each there would be 2,000, and one more for every 32 that were read
    expect(count).toBe(2000);
    expect((await scriptCalls()) - before).toBeLessThan(1000);
    await close();
  });
});

async function readInto(seen: unknown[], stream: AsyncIterable<unknown>): Promise<void> {
  for await (const value of stream) seen.push(value);
}
