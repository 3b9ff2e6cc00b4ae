import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';
import { MemberProgram } from './member-program.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

describe('the order of a key', () => {
  it('holds while records fail and are retried, and only their own key waits', async () => {
    // given twenty keys, of which every seventh record fails twice
    const topic = await redis.topic({ partitions: 2 });
    const running = new Set<string>();
    const begun: string[] = [];
    const handled = new Map<string, number[]>();
    const overlaps: string[] = [];
    const consumer = redis.log.consumer({
      group: 'order',
      topics: topic,
      concurrency: 8,
      retry: { maxRetries: 3, backoff: 20 },
      handler: async (value, { key = '', partition, attempt }) => {
        if (running.has(key)) overlaps.push(key);
        running.add(key);
        if (partition === 0) begun.push(`${value} #${attempt}`);
        await new Promise((resolve) => setImmediate(resolve));
        running.delete(key);
        if (Number(value) % 7 === 0 && attempt < 3) throw new Error('not yet');
        handled.set(key, [...(handled.get(key) ?? []), Number(value)]);
      },
    });
    const failedFirst: string[] = [];
    redis.log.events.on('retry-scheduled', () => failedFirst.push('x'));

    // when they are handled
    await redis.log.producer().sendBatch(times(400, (value) => ({ topic, key: `key-${(value * 7) % 20}`, value })));
    await consumer.start();
    await waitFor(() => [...handled.values()].flat().length === 400, { what: 'all records' });
    await consumer.stop();

    // then each key saw its records one at a time and in order
    expect(overlaps).toEqual([]);
    expect(failedFirst.length).toBeGreaterThan(100);
    for (const values of handled.values()) expect(values).toEqual([...values].sort((a, b) => a - b));

    // and behind one that waited for its next attempt, its partition went on: with more than what was in hand
    const wentOn = begun
      .filter((one) => one.endsWith(' #1') && begun.includes(one.replace('#1', '#2')))
      .map((one) => begun.indexOf(one.replace('#1', '#2')) - begun.indexOf(one));
    expect(Math.max(...wentOn)).toBeGreaterThan(8);
  });

  it('holds across the death of a member: what comes again comes in order', async () => {
    // given two processes, one of which kills itself in the middle
    const topic = await redis.topic({ partitions: 2 });
    const options = { group: 'order-killed', topics: topic, handlerMs: 2, leaseMs: 60_000 };
    const doomed = await MemberProgram.start(redis.server.connection, { ...options, dieAt: 60 });
    await redis.log.producer().sendBatch(times(200, (value) => ({ topic, key: `key-${value % 10}`, value })));
    await doomed.program.exited;

    // when the other goes on
    const other = await MemberProgram.start(redis.server.connection, options);
    const all = () => new Set([...doomed.handled, ...other.handled].map((line) => line.value));
    await waitFor(() => all().size === 200, { what: 'all records', timeoutMs: 20_000 });
    await other.end();

    // then within each process the values of a key rise, and the second starts no later than where the first stopped
    for (const { handled } of [doomed, other]) {
      for (let key = 0; key < 10; key++) {
        const values = handled.filter((line) => line.key === `key-${key}`).map((line) => Number(line.value));
        expect(values).toEqual([...values].sort((a, b) => a - b));
      }
    }
  });
});
