import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RedisConnection } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { moveDue } from '../../libs/queue/src/store/due.js';
import { queueKeys } from '../../libs/queue/src/store/keys.js';
import { openBroker, ownPrefix } from './broker.js';

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);

describe('completed messages that a queue keeps', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  /** A queue whose messages all have ids of their own, and what is kept of it. */
  async function keeping(keepCompleted: object | undefined, options: object = {}) {
    const prefix = ownPrefix();
    const opened = await openBroker(server, prefix, options);
    const { broker } = opened;
    const declare = (kept: object | undefined) =>
      broker.declareQueue({ name: 'q', ...(kept && { keepCompleted: kept }) }, { onChange: 'apply' });
    await declare(keepCompleted);
    const queue = broker.queue('q');
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    const keys = queueKeys(prefix, 'q');
    const consume = async (settings: object = {}) => {
      const consumer = broker.consumer({ queue: 'q', concurrency: 1, handler: (payload) => payload, ...settings });
      await consumer.start();
      return consumer;
    };
    const send = (payloads: readonly unknown[]) =>
      broker.publishBatch(
        payloads.map((body) => ({ exchange: '', routingKey: 'q', body, properties: { messageId: `m${body}` } })),
      );
    const isHandled = (count: number) =>
      waitFor(async () => Number(await redis.hget('state', 'acknowledged')) === count, {
        what: `${count} to be handled`,
      });
    /** Payloads, the newest first, after a look at what they are kept in. */
    const kept = async () => {
      const { messages } = await queue.completed({ limit: 10_000 });
      expect(await redis.zcard('completed')).toBe(messages.length);
      // Of each what is kept, and its id.
      expect(await redis.hlen('completed-messages')).toBe(2 * messages.length);
      return messages.map((message) => message.payload());
    };
    const becomes = (count: number) =>
      waitFor(async () => (await queue.counts()).completed === count, {
        what: `${count} to be kept`,
        timeoutMs: 30_000,
      });
    /** These were completed so much earlier. */
    const age = async (payloads: readonly unknown[], ms: number) => {
      const { messages } = await queue.completed({ limit: 10_000 });
      for (const { id } of messages.filter((message) => payloads.includes(message.payload())))
        await redis.zincrby('completed', -ms, id);
    };
    return { ...opened, prefix, queue, redis, keys, declare, consume, send, isHandled, kept, becomes, age };
  }

  it('are the newest `count`, after each turn that adds some', async () => {
    const { consume, send, isHandled, kept, close } = await keeping({ count: 10 });
    await consume({ concurrency: 10 });
    for (let round = 1; round <= 5; round++) {
      await send(numbers(round * 100, round * 100 + 100));
      await isHandled(round * 100);
      expect((await kept()).length).toBe(10);
    }
    expect(new Set(await kept())).toEqual(new Set(numbers(590, 600)));
    await close();
  });

  it('are those of a time, by each turn that brings some', async () => {
    // given
    const { consume, send, isHandled, kept, age, close } = await keeping({ ageMs: 3_600_000 }, { upkeep: false });
    const consumer = await consume();
    await send(numbers(0, 6));
    await isHandled(6);
    await consumer.stop();
    await age([0, 1, 2, 3], 3_600_001);
    await age([4], 3_000_000);
    expect(await kept()).toEqual([5, 4, 3, 2, 1, 0]);
    // when
    const another = await consume();
    await send([6]);
    await isHandled(7);
    // then
    expect(await kept()).toEqual([6, 5, 4]);
    await another.stop();
    await close();
  });

  it('expire in a queue without consumers', async () => {
    const { consume, send, isHandled, kept, age, becomes, close } = await keeping({ count: 1000, ageMs: 3_600_000 });
    const consumer = await consume();
    await send(numbers(0, 6));
    await isHandled(6);
    await consumer.stop();
    await age([0, 1, 2], 3_600_001);
    await becomes(3);
    expect(await kept()).toEqual([5, 4, 3]);
    await close();
  }, 60_000);

  it('expire though the consumers have nothing to do, and no process does the upkeep', async () => {
    const { consume, send, isHandled, kept, age, becomes, close } = await keeping(
      { ageMs: 3_600_000 },
      { upkeep: false },
    );
    await Promise.all([consume(), consume()]);
    await send(numbers(0, 6));
    await isHandled(6);
    const before = await kept();
    await age(before.slice(2), 3_600_001);
    await becomes(2);
    expect(await kept()).toEqual(before.slice(0, 2));
    await close();
  }, 60_000);

  it('follow a limit that is lowered, and go all when they are no longer wanted', async () => {
    const { declare, consume, send, isHandled, kept, becomes, redis, close } = await keeping({ count: 100 });
    const consumer = await consume();
    await send(numbers(0, 40));
    await isHandled(40);
    await consumer.stop();
    // when lowered, then the upkeep sees to it
    await declare({ count: 5 });
    await becomes(5);
    expect(await kept()).toEqual([39, 38, 37, 36, 35]);
    // when raised
    await declare({ ageMs: 3_600_000 });
    expect(await kept()).toHaveLength(5);
    // when switched off, then immediately
    await declare(undefined);
    expect(await redis.exists('completed', 'completed-messages')).toBe(0);
    await close();
  }, 60_000);

  it('follow a limit that is lowered while they are consumed, though no process does the upkeep', async () => {
    const { declare, consume, send, isHandled, kept, close } = await keeping({ count: 100 }, { upkeep: false });
    const consumer = await consume();
    await send(numbers(0, 40));
    await isHandled(40);
    await consumer.stop();
    await declare({ count: 5 });
    const another = await consume();
    for (let n = 40; n < 46; n++) {
      await send([n]);
      await isHandled(n + 1);
    }
    expect(await kept()).toEqual([45, 44, 43, 42, 41]);
    await another.stop();
    await close();
  });

  it('are removed in pieces, however many are too many', async () => {
    const { declare, consume, send, isHandled, kept, keys, redis, close } = await keeping(
      { count: 10_000 },
      { upkeep: false },
    );
    const consumer = await consume({ concurrency: 100 });
    await send(numbers(0, 1800));
    await isHandled(1800);
    await consumer.stop();
    await declare({ count: 100 });
    const connection = await new RedisConnection(server.connection).open();
    const left: number[] = [];
    for (let isMore = true; isMore; ) {
      isMore = (await moveDue(connection.commands, keys, 1)).mayHaveMore;
      left.push(await redis.zcard('completed'));
    }
    expect(left).toEqual([1300, 800, 300, 100]);
    expect(new Set(await kept()).size).toBe(100);
    connection.close();
    await close();
  });

  it('are kept from the moment on at which that is wanted, with their results from the next turn on', async () => {
    // given a consumer that runs
    const { declare, consume, send, isHandled, queue, close } = await keeping(undefined);
    await consume();
    await send([1]);
    await isHandled(1);
    // when
    await declare({ count: 10 });
    await send([2]);
    await isHandled(2);
    await send([3]);
    await isHandled(3);
    // then
    const { messages } = await queue.completed();
    expect(messages.map((message) => message.payload())).toEqual([3, 2]);
    expect(messages[0]).toMatchObject({ result: 3, startedAt: expect.any(Number) });
    await close();
  });

  it('have all their results, however large these are together', async () => {
    const { consume, send, isHandled, queue, close } = await keeping({ count: 10_000 });
    const result = 'x'.repeat(16_000);
    await send(numbers(0, 600));
    await consume({ concurrency: 600, handler: () => result });
    await isHandled(600);
    const { messages } = await queue.completed({ limit: 1000 });
    expect(messages).toHaveLength(600);
    expect(messages.filter((message) => message.result === result)).toHaveLength(600);
    await close();
  });

  it.each(['', 'many', '-1', '1 -1', '5 x', '99999999999999999999999 1e999'])(
    'harm no turn where the setting was made %j by hand',
    async (setting) => {
      const { consume, send, isHandled, redis, close } = await keeping({ count: 10 });
      await redis.hset('settings', 'keep-completed', setting);
      await consume();
      await send([1, 2]);
      await isHandled(2);
      await send([3]);
      await isHandled(3);
      expect(await redis.hlen('messages')).toBe(0);
      await close();
    },
  );
});
