import { afterAll, describe, expect, it } from '@jest/globals';
import { StreamTakenError } from '@millrace/queue';
import { startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a request that two responders reply to', () => {
  afterAll(stopEverything);

  it('is answered with a stream of one of them, or not at all', async () => {
    // given: a request that was delivered a second time, while the first handler goes on
    const server = await startRedis();
    const prefix = ownPrefix();
    const [asking, first, second] = [
      await openBroker(server, prefix),
      await openBroker(server, prefix),
      await openBroker(server, prefix),
    ];
    await asking.broker.declareQueue({ name: 'q' });
    let goOn = (): void => undefined;
    const secondCame = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const failures: unknown[] = [];
    async function* replies(author: string, between: () => Promise<void>) {
      try {
        yield `${author}0`;
        await between();
        yield `${author}1`;
        yield `${author}2`;
      } finally {
        failures.push(author);
      }
    }
    const a = first.broker.consumer({ queue: 'q', handler: () => replies('a', () => secondCame) });
    await a.start();
    const stream = asking.broker.requestStream('', 'q', 'go', { timeoutMs: 10_000 });
    const iterator = stream[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: 'a0' });
    // when: the same request comes to the second responder
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    const [frame = Buffer.alloc(0)] = await redis.hvalsBuffer('messages');
    const b = second.broker.consumer({ queue: 'copies', handler: () => replies('b', async () => undefined) });
    await asking.broker.declareQueue({ name: 'copies' });
    await server.client().hset(`${prefix}:{queue:copies}:messages`, 'copy', frame);
    await server.client().rpush(`${prefix}:{queue:copies}:ready`, 'copy');
    await b.start();
    await waitFor(() => failures.includes('b'), { what: 'the second to be over' });
    goOn();
    // then
    const seen: unknown[] = ['a0'];
    let error: unknown;
    try {
      for await (const value of stream) seen.push(value);
    } catch (thrown) {
      error = thrown;
    }
    expect(seen.filter((value) => String(value).startsWith('b'))).toEqual([]);
    // It is whole, or ends where the second began.
    if (error === undefined) expect(seen).toEqual(['a0', 'a1', 'a2']);
    else expect(error).toBeInstanceOf(StreamTakenError);
    for (const opened of [asking, first, second]) await opened.close();
  });

  it('takes no single result of the second in the middle of it', async () => {
    // given: a stream that has begun
    const server = await startRedis();
    const prefix = ownPrefix();
    const [asking, responding] = [await openBroker(server, prefix), await openBroker(server, prefix)];
    await asking.broker.declareQueue({ name: 'q' });
    await asking.broker.declareQueue({ name: 'copies' });
    let goOn = (): void => undefined;
    const isReplied = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    async function* replies() {
      yield 'a0';
      await isReplied;
      yield 'a1';
    }
    await responding.broker.consumer({ queue: 'q', handler: () => replies() }).start();
    const stream = asking.broker.requestStream('', 'q', 'go', { timeoutMs: 10_000 });
    const iterator = stream[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: 'a0' });
    // when: the same request comes to a handler that replies once
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    const [frame = Buffer.alloc(0)] = await redis.hvalsBuffer('messages');
    await server.client().hset(`${prefix}:{queue:copies}:messages`, 'copy', frame);
    await server.client().rpush(`${prefix}:{queue:copies}:ready`, 'copy');
    await responding.broker.consumer({ queue: 'copies', handler: () => 'b' }).start();
    const copies = server.client({ keyPrefix: `${prefix}:{queue:copies}:` });
    await waitFor(async () => (await copies.exists('messages')) === 0, { what: 'the second to be done' });
    goOn();
    // then
    const seen: unknown[] = ['a0'];
    for await (const value of stream) seen.push(value);
    expect(seen).toEqual(['a0', 'a1']);
    for (const opened of [asking, responding]) await opened.close();
  });
});
