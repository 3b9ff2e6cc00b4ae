import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type RedisServer, startRedis } from '@millrace/testing';
import { linesOf } from './exposition.js';
import { openMeasured, ownPrefix } from './measured.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

it('of several temporary queues, which are one series, the depth is their sum and the age is the highest', async () => {
  // given messages that have waited for an hour and for two, by their own time
  const { broker, metrics, close } = await openMeasured(server, ownPrefix());
  const now = Date.now();
  for (const [name, hours] of [
    ['first', 1],
    ['second', 2],
  ] as const) {
    await broker.declareQueue({ name, idleExpiryMs: 600_000 });
    await broker.sendToQueue(name, 1, { timestamp: now - hours * 3_600_000 });
  }
  // when
  const text = await metrics.scrape();
  // then
  const valuesOf = (series: string) => linesOf(text, series).map(({ value }) => value);
  expect(valuesOf('millrace_queue_messages')).toEqual([2]);
  const [age = 0] = valuesOf('millrace_queue_oldest_message_seconds');
  expect(age).toBeGreaterThanOrEqual(7200);
  expect(age).toBeLessThan(10_800);
  await close();
});
