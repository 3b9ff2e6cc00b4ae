import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeadLetter, Drop, RetryLater } from '@millrace/core';
import { CompletedMessage, type MessageHandler, type QueueHandle } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

const messageIds = ['order-1', '=order-1', '=', '.x', '~x', 'zwei\nZeilen', 'grün 🌱', 'x'.repeat(255)];

/** All pages of what is kept. */
async function allCompleted(queue: QueueHandle, limit = 100): Promise<CompletedMessage[]> {
  const all: CompletedMessage[] = [];
  let cursor: string | undefined;
  do {
    const page = await queue.completed({ limit, cursor });
    expect(page.messages.length).toBeLessThanOrEqual(limit);
    all.push(...page.messages);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return all;
}

describe('a queue that keeps completed messages', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  async function keeping(settings: object = {}) {
    const prefix = ownPrefix();
    const opened = await openBroker(server, prefix);
    const { broker } = opened;
    await broker.declareQueue({ name: 'q', keepCompleted: { count: 1000 }, ...settings });
    const queue = broker.queue('q');
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    const areKept = (count: number) =>
      waitFor(async () => (await queue.counts()).completed === count, { what: `${count} to be kept` });
    const consume = async (handler: MessageHandler, options: object = {}) => {
      const consumer = broker.consumer({ queue: 'q', handler, ...options });
      await consumer.start();
      return consumer;
    };
    const now = async () => {
      const [seconds, micros] = await server.client().time();
      return Number(seconds) * 1000 + Number(micros) / 1000;
    };
    return { ...opened, prefix, queue, redis, areKept, consume, now };
  }

  it('shows each with its content, its result, its times and its deliveries', async () => {
    // given one that fails at first, and comes with all that a message may have
    const { broker, queue, areKept, consume, now, close } = await keeping();
    const before = await now();
    await consume(
      (payload, { attempt }) => {
        if (attempt === 1) throw new Error('not yet');
        return { got: payload };
      },
      { retry: { maxRetries: 1, backoff: 1 } },
    );
    // when
    await broker.sendToQueue('q', { n: 7 }, { messageId: 'm', headers: { h: 'x' }, correlationId: 'c', type: 't' });
    await areKept(1);
    // then
    const found = await queue.message('m');
    expect(found).toMatchObject({ state: 'completed', attempt: 2, deliveryCount: 1, result: { got: { n: 7 } } });
    const [listed] = (await queue.completed()).messages;
    expect(found).toMatchObject({ startedAt: listed?.startedAt, completedAt: listed?.completedAt });
    for (const message of [found?.message, listed]) {
      if (!(message instanceof CompletedMessage)) throw new Error('it is none');
      expect(message.payload()).toEqual({ n: 7 });
      const { messageId, headers, properties, routingKey, attempt, deliveryCount, result } = message;
      expect({ messageId, headers, properties, routingKey, attempt, deliveryCount, result }).toEqual({
        messageId: 'm',
        headers: { h: 'x' },
        properties: { correlationId: 'c', type: 't' },
        routingKey: 'q',
        attempt: 2,
        deliveryCount: 1,
        result: { got: { n: 7 } },
      });
      const { timestamp, startedAt = 0, completedAt, omittedResultBytes } = message;
      expect(omittedResultBytes).toBeUndefined();
      const times = [Math.floor(before), startedAt, completedAt, await now()];
      expect(times.toSorted((a, b) => a - b)).toEqual(times);
      expect(timestamp).toBeGreaterThan(0);
      expect(completedAt).toBe(Math.floor(completedAt));
    }
    // Each is also found by what the queue calls it.
    expect((await queue.message(listed?.id ?? ''))?.message).toMatchObject({ id: listed?.id });
    await close();
  });

  it('lists the newest first, page by page, while more are completed', async () => {
    // given
    const { broker, queue, areKept, consume, close } = await keeping();
    await consume(() => undefined, { concurrency: 1 });
    const send = async (from: number, to: number) => {
      for (let n = from; n < to; n++) await broker.sendToQueue('q', n);
    };
    await send(0, 25);
    await areKept(25);
    // when
    const first = await queue.completed({ limit: 10 });
    await send(25, 30);
    await areKept(30);
    const second = await queue.completed({ limit: 10, cursor: first.cursor });
    const third = await queue.completed({ limit: 10, cursor: second.cursor });
    // then
    const seen = [first, second, third].flatMap(({ messages }) => messages.map((message) => message.payload()));
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => 24 - n));
    expect(third.cursor).toBeUndefined();
    expect(await allCompleted(queue, 7)).toHaveLength(30);
    await close();
  });

  it('gives no two the same time, though many turns end within a ms', async () => {
    // given
    const { broker, areKept, redis, consume, close } = await keeping();
    await consume(() => undefined, { concurrency: 1, prefetch: 1 });
    await consume(() => undefined, { concurrency: 1, prefetch: 1 });
    // when
    await Promise.all(Array.from({ length: 200 }, (_, n) => broker.sendToQueue('q', n)));
    await areKept(200);
    // then
    const kept = await redis.zrange('completed', '0', '-1', 'WITHSCORES');
    expect(new Set(kept.filter((_, index) => index % 2 === 1)).size).toBe(200);
    await close();
  });

  it('goes on with a list whose last message has gone meanwhile', async () => {
    // given
    const { broker, queue, areKept, redis, consume, close } = await keeping();
    await consume(() => undefined, { concurrency: 1, prefetch: 1 });
    for (let n = 0; n < 6; n++) await broker.sendToQueue('q', n);
    await areKept(6);
    const all = await redis.zrange('completed', '0', '-1');
    const { cursor, messages } = await queue.completed({ limit: 2 });
    // when: it goes out of its turn, as one that is completed again does
    const last = messages.at(-1)?.id ?? '';
    await redis.zincrby('completed', 10_000, last);
    // then
    const rest = await queue.completed({ cursor });
    const older = all.filter((entry) => !messages.some(({ id }) => id === entry)).toReversed();
    expect(rest.messages.map(({ id }) => id)).toEqual(older);
    expect(older).toHaveLength(4);
    expect(rest.cursor).toBeUndefined();
    await close();
  });

  it.each(messageIds)('finds one by its id, to the byte: %j', async (id) => {
    const { broker, queue, areKept, consume, close } = await keeping();
    await consume((payload) => payload);
    await broker.sendToQueue('q', 'it', { messageId: id });
    // Fields of ids begin with this sign.
    const other = `=${id}`.slice(0, 255);
    await broker.sendToQueue('q', 'another', { messageId: other });
    await areKept(2);
    expect(await queue.message(id)).toMatchObject({ state: 'completed', result: 'it', message: { messageId: id } });
    expect(await queue.message(other)).toMatchObject({ result: 'another', message: { messageId: other } });
    expect(await queue.message(`=${other}`.slice(0, 255))).toBeUndefined();
    await close();
  });

  it('keeps what a handler completed, a batch and a request that was answered, and nothing that ended otherwise', async () => {
    // given
    const { broker, queue, areKept, consume, close } = await keeping({ deadLetter: { queue: 'dead' } });
    await broker.declareQueue({ name: 'dead' });
    await broker.declareQueue({ name: 'rows', keepCompleted: { ageMs: 60_000 } });
    const handler: MessageHandler = (payload, context) => {
      if (payload === 'drops') throw new Drop('done with');
      if (payload === 'dies') throw new DeadLetter('no use');
      if (payload === 'waits') throw new RetryLater(3_600_000);
      if (payload === 'acks') context.ack();
      return `${payload} done`;
    };
    await queue.pause();
    for (const payload of ['cancelled', 'expired', 'removed'])
      await broker.sendToQueue('q', payload, { messageId: payload, ...(payload === 'expired' && { expirationMs: 1 }) });
    await queue.cancel('cancelled');
    await queue.remove('removed');
    await waitFor(async () => (await queue.counts()).ready === 0, { what: 'all three to end' });
    await queue.resume();
    await consume(handler);
    // when
    for (const payload of ['drops', 'dies', 'waits', 'acks', 'returns']) await broker.sendToQueue('q', payload);
    expect(await broker.request('', 'q', 'is asked')).toBe('is asked done');
    await expect(broker.request('', 'q', 'dies')).rejects.toThrow('no use');
    await areKept(3);
    await waitFor(async () => (await broker.queue('dead').counts()).ready === 2, { what: 'the dead letters' });
    // then
    const kept = (await allCompleted(queue)).map((message) => [message.payload(), message.result]);
    expect(kept.toSorted()).toEqual([
      ['acks', undefined],
      ['is asked', 'is asked done'],
      ['returns', 'returns done'],
    ]);
    expect(await broker.queue('dead').counts()).toMatchObject({ completed: 0 });
    // when a batch has its own results
    await broker.consumer({ queue: 'rows', batchHandler: (rows) => rows.map(({ payload }) => [payload]) }).start();
    for (let n = 0; n < 5; n++) await broker.sendToQueue('rows', n);
    await waitFor(async () => (await broker.queue('rows').counts()).completed === 5, { what: 'the batch' });
    const rows = (await allCompleted(broker.queue('rows'))).map((message) => [message.payload(), message.result]);
    expect(rows.toSorted()).toEqual([0, 1, 2, 3, 4].map((n) => [n, [n]]));
    await close();
  });

  it('keeps no result that is too large or that JSON cannot hold, and the message all the same', async () => {
    const { broker, queue, areKept, consume, close } = await keeping();
    const errors: unknown[] = [];
    broker.events.on('background-error', ({ error }) => errors.push(error));
    await consume((payload) => (payload === 'large' ? 'x'.repeat(20_000) : 1n));
    await broker.sendToQueue('q', 'large', { messageId: 'large' });
    await broker.sendToQueue('q', 'a BigInt', { messageId: 'odd' });
    await areKept(2);
    expect((await queue.message('large'))?.message).toMatchObject({ result: undefined, omittedResultBytes: 20_002 });
    expect(await queue.message('odd')).toMatchObject({ state: 'completed', result: undefined });
    expect(errors).toEqual([expect.any(TypeError)]);
    await close();
  });

  it('takes one with a result that the consumer keeps for itself, too', async () => {
    const { broker, queue, areKept, consume, close } = await keeping();
    await consume(() => 'x'.repeat(20_000), { keepResultMs: 60_000 });
    await broker.sendToQueue('q', 'large', { messageId: 'large' });
    await areKept(1);
    expect((await queue.message('large'))?.result).toHaveLength(20_000);
    await queue.purgeCompleted();
    expect(await queue.message('large')).toMatchObject({ state: 'completed', message: undefined });
    await close();
  });

  it.each([
    ['nothing but its message', { keepCompleted: { count: 10 } }, {}],
    ['its message and a result', { keepCompleted: { count: 10 } }, { keepResultMs: 60_000 }],
    ['a result without its message', { keepCompleted: undefined }, { keepResultMs: 60_000 }],
  ])('shows a result of null where it keeps %s', async (_, settings, options) => {
    const { broker, queue, consume, close } = await keeping(settings);
    await consume((payload) => (payload === 'NaN' ? Number.NaN : null), options);
    for (const id of ['null', 'NaN']) {
      await broker.sendToQueue('q', id, { messageId: id });
      const isCompleted = async () => (await queue.message(id))?.state === 'completed';
      await waitFor(isCompleted, { what: `${id} to be completed` });
      // JSON has no NaN: it says null.
      expect((await queue.message(id))?.result).toBeNull();
    }
    await close();
  });

  it('has its ids free as if it kept nothing', async () => {
    // given an id that is remembered for no time, and one that is
    const { broker, queue, areKept, consume, close } = await keeping({ deduplicationWindowMs: 0 });
    const handled: unknown[] = [];
    await consume((payload) => handled.push(payload));
    // when
    await broker.sendToQueue('q', 'first', { messageId: 'm' });
    await areKept(1);
    expect((await broker.sendToQueue('q', 'second', { messageId: 'm' })).duplicates).toEqual([]);
    await areKept(2);
    // then: the last one has the id, and the one before is there by its own name
    expect(handled).toEqual(['first', 'second']);
    expect((await queue.message('m'))?.message?.payload()).toBe('second');
    const [, first] = await allCompleted(queue);
    expect((await queue.message(first?.id ?? ''))?.message?.payload()).toBe('first');
    // when its window is open
    await broker.declareQueue({ name: 'q', keepCompleted: { count: 1000 } }, { onChange: 'apply' });
    await broker.sendToQueue('q', 'third', { messageId: 'n' });
    await areKept(3);
    expect((await broker.sendToQueue('q', 'again', { messageId: 'n' })).duplicates).toEqual(['q']);
    // when the older of two with one id goes, then the id leads to the other
    await broker.declareQueue({ name: 'q', keepCompleted: { count: 3 } }, { onChange: 'apply' });
    await broker.sendToQueue('q', 'fourth', { messageId: 'o' });
    await waitFor(async () => (await queue.message('o'))?.state === 'completed', { what: 'the fourth' });
    expect(await queue.message(first?.id ?? '')).toBeUndefined();
    expect((await queue.message('m'))?.message?.payload()).toBe('second');
    await close();
  });

  it('counts none of them as a message: not for its limits, its lists, nor its emptiness', async () => {
    const limits = { maxLength: 2, maxBytes: 100, overflow: 'reject-publish' };
    const { broker, queue, areKept, redis, consume, close } = await keeping(limits);
    const consumer = await consume(() => undefined);
    for (let n = 0; n < 10; n++) {
      expect((await broker.sendToQueue('q', 'x'.repeat(50))).refused).toEqual([]);
      await areKept(n + 1);
    }
    expect(await queue.counts()).toMatchObject({
      ready: 0,
      unacked: 0,
      delayed: 0,
      parked: 0,
      dying: 0,
      completed: 10,
    });
    expect((await queue.ready()).messages).toEqual([]);
    expect(await queue.cancel((await allCompleted(queue))[0]?.id ?? '')).toBe('not-found');
    expect(await queue.remove((await allCompleted(queue))[0]?.id ?? '')).toBe(false);
    expect(await redis.hget('state', 'bytes')).toBe('0');
    // It goes with its queue.
    await consumer.stop();
    expect(await broker.deleteQueue('q', { ifEmpty: true, ifUnused: true })).toBe(true);
    expect(await redis.exists('completed', 'completed-messages')).toBe(0);
    await close();
  });

  it('removes them alone when they are purged', async () => {
    const { broker, queue, areKept, redis, consume, close } = await keeping();
    const consumer = await consume(() => undefined);
    for (let n = 0; n < 5; n++) await broker.sendToQueue('q', n, { messageId: `m${n}` });
    await areKept(5);
    await consumer.stop();
    await broker.sendToQueue('q', 'waits', { messageId: 'w' });
    expect(await queue.purgeCompleted()).toBe(5);
    expect(await queue.purgeCompleted()).toBe(0);
    expect(await queue.counts()).toMatchObject({ ready: 1, completed: 0 });
    expect(await queue.message('m0')).toBeUndefined();
    expect(await redis.exists('completed', 'completed-messages')).toBe(0);
    await consume(() => undefined);
    await areKept(1);
    await close();
  });

  it('keeps none by default', async () => {
    const { broker, queue, redis, consume, close } = await keeping({ keepCompleted: undefined });
    const handled: unknown[] = [];
    await consume((payload) => handled.push(payload));
    await broker.sendToQueue('q', 1, { messageId: 'm' });
    await waitFor(async () => handled.length === 1 && (await queue.counts()).unacked === 0, {
      what: 'it to be handled',
    });
    expect(await queue.message('m')).toBeUndefined();
    expect(await redis.exists('completed', 'completed-messages')).toBe(0);
    await close();
  });
});
