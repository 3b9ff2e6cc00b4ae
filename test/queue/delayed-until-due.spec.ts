import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a delayed message', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('is never handled before it is due, and then without a timer process, while others wait', async () => {
    // given: idle consumers, and many messages that are due in an hour
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    const later = { delayMs: 3_600_000 };
    await broker.publishBatch(
      Array.from({ length: 5000 }, () => ({ exchange: '', routingKey: 'q', body: 0, properties: later })),
    );
    const redis = server.client();
    const redisNow = async () => {
      const [seconds, micros] = await redis.time();
      return Number(seconds) * 1000 + Number(micros) / 1000;
    };
    const handledAt = new Map<unknown, Promise<number>>();
    for (let n = 0; n < 3; n++) {
      await broker.consumer({ queue: 'q', handler: (payload) => void handledAt.set(payload, redisNow()) }).start();
    }
    // when
    const due = new Map<number, number>();
    for (const delayMs of [400, 30, 120, 60, 250, 1]) {
      due.set(delayMs, (await redisNow()) + delayMs);
      await broker.sendToQueue('q', delayMs, { delayMs });
    }
    // then
    await waitFor(() => handledAt.size === 6, { what: 'six to be handled' });
    for (const [delayMs, dueAt] of due) expect(await handledAt.get(delayMs)).toBeGreaterThanOrEqual(Math.floor(dueAt));
    expect((await broker.queue('q').counts()).delayed).toBe(5000);
    await close();
  });

  it('can be listed page by page, seen and cancelled', async () => {
    // given
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    for (let n = 0; n < 25; n++) {
      await broker.sendToQueue('q', n, { delayMs: 60_000 + 10 * n, messageId: `m${n}` });
    }
    const queue = broker.queue('q');
    // when
    const listed: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await queue.delayed({ limit: 10, cursor });
      listed.push(...page.messages.map((message) => message.payload()));
      cursor = page.cursor;
    } while (cursor !== undefined);
    // then
    expect(listed).toEqual(Array.from({ length: 25 }, (_, n) => n));
    expect(await queue.message('m7')).toMatchObject({ state: 'delayed', attempt: 1, deliveryCount: 0 });
    expect(await queue.cancel('m7')).toBe('cancelled');
    expect(await queue.cancel('m7')).toBe('not-found');
    expect((await queue.counts()).delayed).toBe(24);
    await close();
  });
});
