import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InvalidMessageError } from '@millrace/core';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { type OpenBroker, openBroker, ownPrefix } from './broker.js';

describe('a delay', () => {
  let server: RedisServer;
  let opened: OpenBroker;
  beforeAll(async () => {
    server = await startRedis();
    opened = await openBroker(server, ownPrefix());
    await opened.broker.declareQueue({ name: 'q', priorities: 3 });
  });
  afterAll(async () => {
    await opened.close();
    await stopEverything();
  });

  it.each([0, -0, -5, -86_400_000, -0.5, undefined])('of %p is now', async (delayMs) => {
    const queue = opened.broker.queue('q');
    // when
    const { messageId } = await opened.broker.sendToQueue('q', 'now', { delayMs });
    // then: it waits in no other list
    expect(await queue.counts()).toMatchObject({ ready: 1, delayed: 0 });
    await queue.remove(messageId);
  });

  it('of a fraction is rounded up, so that it is never early', async () => {
    // given
    const { broker } = opened;
    const queue = broker.queue('q');
    const seen: unknown[] = [];
    const consumer = broker.consumer({ queue: 'q', handler: (payload) => void seen.push(payload) });
    // when: many times, since a ms may pass between a look at the clock of Redis and the publish
    const waits: number[] = [];
    for (let n = 0; n < 20; n++) {
      const [seconds, micros] = await server.client().time();
      const sentMs = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
      const { messageId } = await broker.sendToQueue('q', 'later', { delayMs: 3_599_999.5 });
      waits.push(((await queue.message(messageId))?.dueAt ?? 0) - sentMs);
      await queue.remove(messageId);
    }
    await broker.sendToQueue('q', 'soon', { delayMs: 0.2 });
    // then
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(3_600_000);
    expect(waits.every(Number.isInteger)).toBe(true);
    await consumer.start();
    await waitFor(() => seen.includes('soon'), { what: 'the one that is due' });
    await consumer.stop();
  });

  it.each([
    [{ delayMs: Number.NaN }, 'delayMs must be a number of ms (0 or less is now), got NaN'],
    [{ delayMs: Number.POSITIVE_INFINITY }, 'delayMs must be a number of ms (0 or less is now), got Infinity'],
    [{ delayMs: '5' as never }, 'delayMs must be a number of ms (0 or less is now), got "5"'],
    [{ expirationMs: 0 }, 'expirationMs must be a whole number of ms, at least 1, got 0'],
    [{ priority: -1 }, 'priority must be a whole number, at least 0, got -1'],
  ])('or other time that is none is refused with a sentence that is true: %p', async (properties, sentence) => {
    const sent = opened.broker.sendToQueue('q', 1, properties);
    await expect(sent).rejects.toThrow(InvalidMessageError);
    await expect(sent).rejects.toThrow(sentence);
  });
});

describe('a priority', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it.each([2, 3, 255, 256, 2_097_152])('of %p is clamped to the highest that the queue has', async (priority) => {
    // given a queue with the levels 0, 1 and 2
    const prefix = ownPrefix();
    const opened = await openBroker(server, prefix);
    await opened.broker.declareQueue({ name: 'q', priorities: 3 });
    // when
    const { messageId } = await opened.broker.sendToQueue('q', 'high', { priority });
    // then
    expect(await server.client().lrange(`${prefix}:{queue:q}:ready:2`, '0', '-1')).toEqual([messageId]);
    await opened.close();
  });
});
