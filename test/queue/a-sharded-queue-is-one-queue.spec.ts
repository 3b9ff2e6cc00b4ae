import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

const shards = 4;

describe('a sharded queue', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  async function sharded(settings: object = {}) {
    const prefix = ownPrefix();
    const opened = await openBroker(server, prefix);
    await opened.broker.declareQueue({ name: 'q', shards, ...settings });
    const redis = server.client();
    const lengths = () =>
      Promise.all(Array.from({ length: shards }, (_, n) => redis.hlen(`${prefix}:{queue:q:${n}}:messages`)));
    return { ...opened, prefix, redis, lengths };
  }

  it('spreads messages without a key, and keeps those of one key in one shard, in their order', async () => {
    // given
    const { broker, close, lengths } = await sharded();
    const keys = Array.from({ length: 20 }, (_, n) => `key ${n}`);
    // when
    for (let n = 0; n < 10; n++) {
      await Promise.all(keys.map((shardKey) => broker.sendToQueue('q', { key: shardKey, n }, { shardKey })));
    }
    for (let n = 0; n < 40; n++) await broker.sendToQueue('q', { key: 'none', n });
    // then
    expect((await lengths()).every((length) => length >= 10)).toBe(true);
    const seen = new Map<string, number[]>();
    let count = 0;
    const handler = (payload: unknown) => {
      const { key, n } = payload as { key: string; n: number };
      seen.set(key, [...(seen.get(key) ?? []), n]);
      count++;
    };
    await broker.consumer({ queue: 'q', concurrency: 1, handler }).start();
    await waitFor(() => count === 240, { what: 'all to be handled' });
    for (const key of keys) expect(seen.get(key)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await waitFor(async () => (await lengths()).every((length) => length === 0), { what: 'all to be settled' });
    await close();
  });

  it('makes what is parked ready again in all its shards', async () => {
    // given
    const { broker, close } = await sharded();
    const queue = broker.queue('q');
    for (let n = 0; n < 40; n++) await broker.sendToQueue('q', n, { shardKey: `key ${n}` });
    const consumer = broker.consumer({ queue: 'q', handlers: [{ pattern: 'other', handler: () => undefined }] });
    await consumer.start();
    await waitFor(async () => (await queue.counts()).parked === 40, { what: 'all to be parked' });
    await consumer.stop();
    // when, then
    expect(await queue.unpark()).toBe(40);
    expect(await queue.counts()).toMatchObject({ parked: 0, ready: 40 });
    await close();
  });

  it('is handled once each by several consumers, none of which holds more than its prefetch', async () => {
    // given
    const { broker, close, lengths } = await sharded();
    await broker.publishBatch(Array.from({ length: 2000 }, (_, body) => ({ exchange: '', routingKey: 'q', body })));
    const seen: unknown[] = [];
    const most: number[] = [0, 0];
    for (const index of [0, 1]) {
      const consumer = broker.consumer({
        queue: 'q',
        prefetch: 3,
        concurrency: 3,
        handler: async (payload) => {
          most[index] = Math.max(most[index] ?? 0, consumer.status.held);
          await new Promise(setImmediate);
          seen.push(payload);
        },
      });
      await consumer.start();
    }
    // then
    await waitFor(() => seen.length >= 2000, { what: 'all to be handled', timeoutMs: 30_000 });
    await waitFor(async () => (await lengths()).every((length) => length === 0), { what: 'all to be settled' });
    expect(new Set(seen).size).toBe(2000);
    expect(seen).toHaveLength(2000);
    expect(Math.max(...most)).toBeLessThanOrEqual(3);
    await close();
  });

  it('has its shards served alike, also when a consumer may hold one message only', async () => {
    // given: a long shard and three short ones
    const { broker, close, lengths } = await sharded();
    const keys = new Map<number, string>();
    for (let n = 0; keys.size < shards; n++) {
      await broker.sendToQueue('q', 'probe', { shardKey: `k${n}`, messageId: `probe${n}` });
      const shard = (await lengths()).indexOf(1);
      await broker.queue('q').cancel(`probe${n}`);
      if (!keys.has(shard)) keys.set(shard, `k${n}`);
    }
    for (const [shard, shardKey] of keys) {
      for (let n = 0; n < (shard === 0 ? 200 : 20); n++) await broker.sendToQueue('q', shard, { shardKey });
    }
    // when it begins to take messages after it has registered at all of them
    const seen: unknown[] = [];
    const handler = (shard: unknown) => void seen.push(shard);
    const consumer = broker.consumer({ queue: 'q', prefetch: 1, concurrency: 1, handler });
    await consumer.pause();
    await consumer.start();
    consumer.resume();
    await waitFor(() => seen.length === 260, { what: 'all to be handled', timeoutMs: 30_000 });
    // then: the short ones do not wait for the long one
    const last = Math.max(...[1, 2, 3].map((shard) => seen.lastIndexOf(shard)));
    expect(last).toBeLessThan(140);
    await close();
  });

  it('is seen, paused, cancelled, redriven and deleted as one', async () => {
    // given
    const { broker, close, lengths, prefix, redis } = await sharded({ deliveryLimit: 5 });
    const queue = broker.queue('q');
    await queue.pause();
    for (let n = 0; n < 40; n++) await broker.sendToQueue('q', n, { messageId: `m${n}` });
    await broker.sendToQueue('q', 'later', { delayMs: 3_600_000, messageId: 'later' });
    // a repetition is known as one
    expect(await broker.sendToQueue('q', 0, { messageId: 'm0' })).toMatchObject({ queues: ['q'], duplicates: ['q'] });
    expect(await queue.counts()).toMatchObject({ ready: 40, delayed: 1 });
    expect(await queue.message('m7')).toMatchObject({ state: 'ready' });
    expect(await queue.cancel('m7')).toBe('cancelled');
    expect(await queue.cancel('later')).toBe('cancelled');
    const listed = [];
    for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
      const page = await queue.ready({ limit: 7, cursor });
      listed.push(...page.messages.map(({ messageId }) => messageId));
      cursor = page.cursor;
    }
    expect(listed.sort()).toEqual(
      Array.from({ length: 40 }, (_, n) => `m${n}`)
        .filter((id) => id !== 'm7')
        .sort(),
    );
    // when
    const seen: unknown[] = [];
    let isBroken = true;
    const handler = (payload: unknown) => {
      if (isBroken && payload === 3) throw new Error('bug');
      seen.push(payload);
    };
    const consumer = broker.consumer({ queue: 'q', retry: { maxRetries: 1, backoff: 1 }, handler });
    await consumer.start();
    await waitFor(() => consumer.status.turn === 'paused', { what: 'it to learn that the queue is paused' });
    expect(seen).toEqual([]);
    await queue.resume();
    await waitFor(() => seen.length === 38, { what: 'the others to be handled' });
    await broker.declareQueue({ name: 'q.dead-letters' });
    const dead = broker.queue('q.dead-letters').deadLetters;
    await waitFor(async () => (await dead.list()).messages.length === 1, { what: 'the dead letter' });
    expect((await dead.list()).messages[0]?.deaths[0]).toMatchObject({ queue: 'q', reason: 'failed' });
    isBroken = false;
    await dead.redrive();
    await waitFor(() => seen.includes(3), { what: 'the redriven one' });
    await consumer.stop();
    // then, when it is also forgotten where it died, which follows upon its arrival elsewhere
    await waitFor(async () => (await lengths()).every((length) => length === 0), { what: 'all to be settled' });
    expect(await lengths()).toEqual([0, 0, 0, 0]);
    expect(await broker.deleteQueue('q', { ifEmpty: true, ifUnused: true })).toBe(true);
    // but what a cluster remembers of publishes for a while
    const left = await redis.keys(`${prefix}:{queue:q:*`);
    const lasting = await Promise.all(left.map(async (key) => ((await redis.pttl(key)) === -1 ? [key] : [])));
    expect(lasting.flat()).toEqual([]);
    await close();
  });

  it('cannot have another number of shards later, and shares its limits out among them', async () => {
    const { broker, close } = await sharded({ maxLength: 8, overflow: 'reject-publish' });
    await expect(broker.declareQueue({ name: 'q', maxLength: 8, overflow: 'reject-publish' })).rejects.toMatchObject({
      name: 'TopologyConflictError',
    });
    await expect(
      broker.declareQueue({ name: 'q', shards: 5, maxLength: 8, overflow: 'reject-publish' }),
    ).rejects.toThrow(/shards/);
    await expect(broker.declareQueue({ name: 'r', shards: 9, maxLength: 8 })).rejects.toThrow(
      /maxLength is shared out/,
    );
    const receipts = [];
    for (let n = 0; n < 12; n++) receipts.push(await broker.sendToQueue('q', n));
    expect(receipts.filter(({ refused }) => refused.length === 0)).toHaveLength(8);
    expect(receipts[11]?.refused).toEqual([{ queue: 'q', reason: 'maxlen', isDeadLettered: false }]);
    expect(await broker.queue('q').counts()).toMatchObject({ ready: 8 });
    await close();
  });
});
