import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a queue that may be consumed at 15 messages per second', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('loses nothing of a producer at 60 per second, and drains at its own pace over all its consumers', async () => {
    // given
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q', maxPerSecond: 15 });
    const handled: { n: unknown; at: number }[] = [];
    for (let count = 0; count < 3; count++) {
      await broker.consumer({ queue: 'q', handler: (n) => void handled.push({ n, at: performance.now() }) }).start();
    }
    // when: 45 messages in three quarters of a second
    for (let n = 0; n < 45; n++) {
      const next = performance.now() + 1000 / 60;
      await broker.sendToQueue('q', n);
      await waitFor(() => performance.now() >= next, { what: 'the next', intervalMs: 2 });
    }
    // then
    await waitFor(() => handled.length === 45, { what: '45 to be handled' });
    expect(new Set(handled.map(({ n }) => n)).size).toBe(45);
    // No window of a second holds more than the rate and one burst of two.
    for (const { at } of handled) {
      const inWindow = handled.filter((other) => other.at >= at && other.at < at + 1000).length;
      expect(inWindow).toBeLessThanOrEqual(15 + 2 + 1);
    }
    await close();
  });

  it('lets out a tenth of a second at a time after it was at rest, and no more', async () => {
    // given thirty messages in a queue that was at rest
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q', maxPerSecond: 20 });
    await broker.publishBatch(Array.from({ length: 30 }, (_, body) => ({ exchange: '', routingKey: 'q', body })));
    const at: number[] = [];
    // when they are handled
    await broker.consumer({ queue: 'q', handler: () => void at.push(performance.now()) }).start();
    await waitFor(() => at.length === 30, { what: '30 to be handled' });
    // then each is, at the earliest, when a burst of two and the rate let it out, of which a busy machine notes the first late; a burst of
    // two seconds would be 1900 ms too early
    const early = at.map((time, index) => time - (at[0] ?? 0) - ((index + 1 - 2) / 20) * 1000);
    expect(Math.min(...early)).toBeGreaterThan(-300);
    await close();
  });

  it('does the same for a single consumer with a limit of its own', async () => {
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    const at: number[] = [];
    await broker.consumer({ queue: 'q', maxPerSecond: 50, handler: () => void at.push(performance.now()) }).start();
    await broker.publishBatch(Array.from({ length: 40 }, (_, body) => ({ exchange: '', routingKey: 'q', body })));
    await waitFor(() => at.length === 40, { what: '40 to be handled' });
    expect((at.at(-1) ?? 0) - (at[0] ?? 0)).toBeGreaterThan(((40 - 5 - 1) / 50) * 1000 * 0.9);
    await close();
  });
});
