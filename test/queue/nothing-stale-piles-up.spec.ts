import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

const stale = 3000;
const live = 700;

describe('what ended while it waited', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  /** A queue where most of what waited has been cancelled, in the middle of what is left. */
  async function mostlyCancelled(settings: object = {}) {
    const prefix = ownPrefix();
    const opened = await openBroker(server, prefix);
    const { broker } = opened;
    await broker.declareQueue({ name: 'q', ...settings });
    await broker.publishBatch(
      Array.from({ length: live + stale }, (_, n) => ({
        exchange: '',
        routingKey: 'q',
        body: n,
        properties: { messageId: `m${n}` },
      })),
    );
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    const length = async () => {
      const lengths = await Promise.all(['ready', 'front', 'kept'].map((key) => redis.llen(key)));
      return lengths.reduce((sum, one) => sum + one, 0);
    };
    const isLive = (n: number) => n < live / 2 || n >= live / 2 + stale;
    const queue = broker.queue('q');
    const cancelled = Array.from({ length: live + stale }, (_, n) => n).filter((n) => !isLive(n));
    for (let at = 0; at < stale; at += 100) {
      await Promise.all(cancelled.slice(at, at + 100).map((n) => queue.cancel(`m${n}`)));
    }
    const left = Array.from({ length: live + stale }, (_, n) => n).filter(isLive);
    return { ...opened, redis, queue, length, left };
  }

  it('is counted right again after a pass, if something else wrote another count', async () => {
    // given a consumer that handles one message, while two wait
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q' });
    const ends: (() => void)[] = [];
    const handler = () => new Promise<void>((resolve) => ends.push(resolve));
    await broker.consumer({ queue: 'q', concurrency: 1, prefetch: 1, handler }).start();
    for (const payload of ['one', 'two', 'three']) await broker.sendToQueue('q', payload);
    await waitFor(() => ends.length === 1, { what: 'the first message' });
    // when
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    await redis.hset('state', 'stale', 'inf');
    ends[0]?.();
    // then no pass follows the other for ever
    await waitFor(async () => (await redis.hget('state', 'stale')) === '0', { what: 'a count' });
    expect(await redis.hget('state', 'trim')).toBeNull();
    await waitFor(() => ends.length === 2, { what: 'the second message' });
    ends[1]?.();
    await waitFor(() => ends.length === 3, { what: 'the third message' });
    ends[2]?.();
    await waitFor(async () => (await redis.hlen('messages')) === 0, { what: 'an empty queue' });
    await close();
  });

  it('is counted right again after a pass that met none of what something else counted', async () => {
    // given many that wait, none of them stale
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q' });
    await broker.publishBatch(Array.from({ length: 3 * live }, (_, body) => ({ exchange: '', routingKey: 'q', body })));
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    await redis.hset('state', 'stale', 2 * live);
    // when a consumer has made some turns, each with a slice of the pass
    let begun = 0;
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const handler = () => (++begun <= 50 ? undefined : released);
    await broker.consumer({ queue: 'q', concurrency: 1, prefetch: 1, handler }).start();
    await waitFor(() => begun > 50, { what: 'the turns' });
    // then no pass follows the other for ever
    await waitFor(async () => (await redis.hget('state', 'stale')) === '0', { what: 'a count' });
    expect(await redis.hmget('state', 'trim', 'trim-from')).toEqual([null, null]);
    expect(await broker.queue('q').counts()).toMatchObject({ ready: 3 * live - 51, unacked: 1 });
    release();
    await close();
  });

  it('leaves the lists of a queue without consumers, and what is left keeps its order', async () => {
    // given
    const { broker, queue, length, left, redis, close } = await mostlyCancelled();
    expect((await queue.counts()).ready).toBe(live);
    // when: the upkeep has looked
    // then: it may have begun while messages were still cancelled, and leaves less than a thousand
    const isTrimmed = async () => {
      const [count, trim] = await redis.hmget('state', 'stale', 'trim');
      const left = (await length()) - live;
      return trim === null && left < 1000 && left === Number(count);
    };
    await waitFor(isTrimmed, { what: 'the lists to be trimmed', timeoutMs: 40_000 });
    expect((await queue.counts()).ready).toBe(live);
    await broker.sendToQueue('q', 'last');
    const handled: unknown[] = [];
    const handler = (payload: unknown) => void handled.push(payload);
    await broker.consumer({ queue: 'q', concurrency: 1, handler }).start();
    await waitFor(() => handled.length === live + 1, { what: 'all to be handled' });
    expect(handled).toEqual([...left, 'last']);
    await close();
  }, 90_000);

  it('leaves the lists while they are consumed from, in the middle of what is handled in order', async () => {
    // given
    const { broker, queue, length, left, close } = await mostlyCancelled();
    // when
    const handled: unknown[] = [];
    let isHeld = true;
    const consumer = broker.consumer({
      queue: 'q',
      concurrency: 1,
      prefetch: 1,
      handler: async (payload) => {
        handled.push(payload);
        if (handled.length === 100) await waitFor(() => !isHeld, { what: 'the rest', timeoutMs: 50_000 });
      },
    });
    await consumer.start();
    // then: in passing
    await waitFor(async () => (await length()) < live, { what: 'the lists to be trimmed', timeoutMs: 40_000 });
    isHeld = false;
    await waitFor(() => handled.length === live, { what: 'all to be handled' });
    expect(handled).toEqual(left);
    expect(await queue.counts()).toMatchObject({ ready: 0, unacked: 0 });
    await close();
  }, 90_000);

  it('leaves no page empty that has messages behind it', async () => {
    // given: what is left stands behind more of what was cancelled than a page holds
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    const queue = broker.queue('q');
    for (let n = 0; n < 40; n++) await broker.sendToQueue('q', n, { messageId: `m${n}` });
    for (let n = 0; n < 30; n++) await queue.cancel(`m${n}`);
    // when
    const pages: unknown[][] = [];
    let cursor: string | undefined;
    do {
      const page = await queue.ready({ limit: 4, cursor });
      pages.push(page.messages.map((message) => message.payload()));
      cursor = page.cursor;
    } while (cursor !== undefined);
    // then
    expect(pages).toEqual([
      [30, 31, 32, 33],
      [34, 35, 36, 37],
      [38, 39],
    ]);
    await close();
  });
});
