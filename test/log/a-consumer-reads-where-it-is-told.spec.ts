import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LeaseLostError } from '@millrace/core';
import { type ConsumerInput, OffsetOutOfRangeError } from '@millrace/log';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

/** A consumer that notes what it sees, on a topic with ten records. */
async function reading(group: string, options: Partial<ConsumerInput> = {}) {
  const topic = await redis.topic();
  await redis.log.producer().sendBatch(times(10, (value) => ({ topic, value, timestamp: 1000 + value })));
  const log = await redis.another();
  const seen: number[] = [];
  const moved: unknown[] = [];
  const errors: unknown[] = [];
  log.events.on('offset-out-of-range', (event) => moved.push(event));
  log.events.on('background-error', ({ error }) => errors.push(error));
  const handler = (value: unknown): void => void seen.push(Number(value));
  const consumer = log.consumer({ group, topics: topic, handler, ...options });
  const send = (value: number) => redis.log.producer().send({ topic, value });
  const sees = (count: number) => waitFor(() => seen.length >= count, { what: `${count} records` });
  return { topic, consumer, seen, moved, errors, send, sees };
}

describe('a consumer', () => {
  it.each([
    ['earliest', times(10, (value) => value)],
    ['latest', [10]],
    [{ timestamp: 1007 }, [7, 8, 9]],
  ] as const)('of a new group begins at %j', async (from, expected) => {
    const { consumer, seen, sees, send } = await reading(`from-${JSON.stringify(from).length}`, { from });
    await consumer.start();
    if (from === 'latest') await send(10);
    await sees(expected.length);
    expect(seen).toEqual(expected);
    await consumer.stop();
  });

  it.each([
    ['earliest', [4, 5, 6, 7, 8, 9], 4],
    ['latest', [10], 10],
  ] as const)(
    'whose offset retention has passed goes on at the %s, and says so',
    async (onOutOfRange, expected, to) => {
      const { topic, consumer, seen, moved, sees, send } = await reading(`passed-${onOutOfRange}`, { onOutOfRange });
      await redis.log.groups.resetOffsets(`passed-${onOutOfRange}`, { topic, to: 2 });
      for (const value of [4, 5, 6, 7, 8, 9]) await send(value);
      await redis.log.deleteRecords(topic, 0, 10);
      await consumer.start();
      if (onOutOfRange === 'latest') await send(10);
      await sees(expected.length);
      expect(seen).toEqual(expected);
      expect(moved).toMatchObject([{ topic, from: 2, to: to === 4 ? 10 : 16, why: 'below-log-start' }]);
      await consumer.stop();
    },
  );

  it('whose offset retention has passed stops with `fail`, until a seek', async () => {
    const { topic, consumer, seen, errors, sees, send } = await reading('fail', { onOutOfRange: 'fail' });
    await redis.log.groups.resetOffsets('fail', { topic, to: 2 });
    await send(10);
    await redis.log.deleteRecords(topic, 0, 10);
    await consumer.start();
    expect(errors).toEqual([expect.any(OffsetOutOfRangeError)]);
    expect(consumer.assignment).toMatchObject([{ committed: 2, isPaused: true }]);
    await consumer.seek({ topic, partition: 0 }, 'earliest');
    await sees(1);
    expect(seen).toEqual([10]);
    await consumer.stop();
  });

  it('seeks back and forwards, and the offset with it', async () => {
    const { topic, consumer, seen, sees } = await reading('seek');
    await consumer.start();
    await sees(10);
    await consumer.seek({ topic, partition: 0 }, { timestamp: 1008 });
    await sees(12);
    await consumer.seek({ topic, partition: 0 }, 9);
    await sees(13);
    expect(seen.slice(10)).toEqual([8, 9, 9]);
    await expect(consumer.seek({ topic, partition: 0 }, 11)).rejects.toThrow(OffsetOutOfRangeError);
    await expect(consumer.seek({ topic, partition: 7 }, 0)).rejects.toThrow(LeaseLostError);
    await consumer.stop();
    expect(await redis.log.groups.lag('seek')).toMatchObject([{ committed: 10 }]);
  });

  it('pauses and resumes', async () => {
    const { topic, consumer, seen, sees } = await reading('pause', { startPaused: true });
    // Another group, which is not paused: by the time it has a record, a consumer that ignored its pause would have it too.
    const handled: unknown[] = [];
    const other = redis.log.consumer({ group: 'goes-on', topics: topic, handler: (value) => void handled.push(value) });
    const othersHave = async (count: number): Promise<void> => {
      await waitFor(() => handled.length === count, { what: `another group to have ${count} records` });
      await redis.connection.commands.ping();
    };
    await consumer.start();
    await other.start();
    await othersHave(10);
    expect(consumer.assignment).toMatchObject([{ isPaused: true }]);
    expect(seen).toEqual([]);
    consumer.resume([{ topic, partition: 0 }]);
    await sees(10);
    consumer.pause();
    await redis.log.producer().send({ topic, value: 10 });
    await othersHave(11);
    expect(seen).toHaveLength(10);
    consumer.resume();
    await sees(11);
    await Promise.all([consumer.stop(), other.stop()]);
  });

  it('heeds a rate', async () => {
    const started: number[] = [];
    const handler = (): void => void started.push(performance.now());
    const { consumer } = await reading('rate', { maxPerSecond: 20, handler });
    const begunAt = performance.now();
    await consumer.start();
    await waitFor(() => started.length === 10, { what: 'ten records' });
    // Two immediately (a tenth of a second's worth), and then one every 50 ms: the ninth after the first waits 8 × 50 ms.
    // Counted from before the first, which may have been held up between its permit and its handler.
    expect((started[9] ?? 0) - begunAt).toBeGreaterThanOrEqual(399);
    await consumer.stop();
  });
});
