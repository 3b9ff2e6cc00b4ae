import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OptionsError } from '@millrace/core';
import type { ConsumerInput, QueueDeclaration } from '@millrace/queue';
import { startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

/** Below one per second: one every 1,200 ms. */
const rate = { limit: 5, intervalMs: 6000 };
const everyMs = 1200;
/** Redis counts in whole ms, by another clock. */
const toleranceMs = 30;

describe('a rate of a queue', () => {
  let server: Awaited<ReturnType<typeof startRedis>>;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  async function open(queue: Partial<QueueDeclaration>) {
    const prefix = ownPrefix();
    const opened = await openBroker(server, prefix);
    await opened.broker.declareQueue({ name: 'q', ...queue });
    const at: number[] = [];
    const consume = (options: Partial<ConsumerInput> = {}) =>
      opened.broker.consumer({ queue: 'q', handler: () => void at.push(performance.now()), ...options }).start();
    const publish = (count: number) =>
      opened.broker.publishBatch(Array.from({ length: count }, (_, body) => ({ exchange: '', routingKey: 'q', body })));
    const handles = (count: number) => waitFor(() => at.length === count, { what: `${count} to be handled` });
    return { ...opened, prefix, at, consume, publish, handles };
  }

  it('may be below one per second: over all consumers, and each message is let out when it is due', async () => {
    // given
    const { at, consume, publish, handles, close } = await open({ rate });
    await publish(3);
    // when
    const began = performance.now();
    await Promise.all([consume(), consume(), consume()]);
    await handles(3);
    // then
    for (const [index, time] of at.entries()) {
      expect(time - began).toBeGreaterThan(index * everyMs - toleranceMs);
    }
    await close();
  });

  it('is shared out among shards: each lets out its part, and one immediately', async () => {
    // given
    const { at, consume, publish, handles, close } = await open({ rate: { limit: 10, intervalMs: 6000 }, shards: 2 });
    await publish(6);
    // when
    const began = performance.now();
    await consume();
    await handles(6);
    // then
    for (const [index, time] of at.entries()) {
      expect(time - began).toBeGreaterThan(Math.floor(index / 2) * everyMs - toleranceMs);
    }
    await close();
  });

  it('is a consumer’s own, too, and what it did not take while at rest is no burst', async () => {
    // given a consumer that could have taken five
    const { at, consume, publish, handles, close } = await open({});
    await consume({ rate: { limit: 15, intervalMs: 3000 } });
    const rested = performance.now() + 1000;
    await waitFor(() => performance.now() > rested, { what: 'a second at rest' });
    // when
    const began = performance.now();
    await publish(5);
    await handles(5);
    // then
    expect((at[4] ?? 0) - began).toBeGreaterThan(4 * 200 - toleranceMs);
    await close();
  });

  it('costs an idle queue nothing: with a message to let out and none there, no consumer keeps a timer', async () => {
    // given, when
    const { prefix, connection, consume, close } = await open({ rate });
    await consume();
    await waitFor(async () => (await connection.commands.zcard(`${prefix}:{queue:q}:idle`)) === 1, {
      what: 'the consumer to be at rest',
    });
    // then
    expect(await connection.commands.hexists(`${prefix}:{queue:q}:state`, 'keeper')).toBe(0);
    await close();
  });

  it('of a thousand ms is the maxPerSecond of before: the same declaration', async () => {
    const { broker, close } = await open({ maxPerSecond: 15 });
    expect(await broker.plan({ queues: [{ name: 'q', rate: { limit: 15, intervalMs: 1000 } }] })).toEqual([]);
    await broker.declare({ queues: [{ name: 'q', rate }] }, { onChange: 'apply' });
    expect(await broker.plan({ queues: [{ name: 'q', rate }] })).toEqual([]);
    await close();
  });

  it.each([
    [15, /rate must be \{ limit, intervalMs \}, got 15/],
    [{ limit: 0, intervalMs: 1000 }, /rate\.limit must be a whole number of at least 1, got 0/],
    [{ limit: 1.5, intervalMs: 1000 }, /rate\.limit must be .*got 1\.5/],
    [{ limit: 1, intervalMs: 86_400_001 }, /rate\.intervalMs must be a whole number from 1 to 86400000, got 86400001/],
    [{ limit: 1, interval: 1000 }, /unknown option rate\.interval.*rate\.intervalMs must be .*got undefined/s],
  ])('is refused with what was given: %j', async (wrong, message) => {
    const { broker, close } = await open({});
    const declaring = broker.declareQueue({ name: 'wrong', rate: wrong as never });
    await expect(declaring).rejects.toThrow(OptionsError);
    await expect(declaring).rejects.toThrow(message);
    expect(() => broker.consumer({ queue: 'q', handler: () => undefined, rate: wrong as never })).toThrow(message);
    await expect(broker.queue('q').deadLetters.redrive({ rate: wrong as never })).rejects.toThrow(message);
    await close();
  });

  it('is refused with maxPerSecond beside it, and with less than one a shard', async () => {
    const { broker, close } = await open({});
    const both = { rate, maxPerSecond: 1 };
    const message = /rate and maxPerSecond are both given/;
    await expect(broker.declareQueue({ name: 'wrong', ...both })).rejects.toThrow(message);
    expect(() => broker.consumer({ queue: 'q', handler: () => undefined, ...both })).toThrow(message);
    await expect(broker.queue('q').deadLetters.redrive(both)).rejects.toThrow(message);
    await expect(broker.declareQueue({ name: 'wrong', rate, shards: 8 })).rejects.toThrow(
      /rate\.limit is shared out among 8 shards: it must be at least 8/,
    );
    await close();
  });
});
