import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GroupConsumer, RecordContext } from '@millrace/log';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, openLog } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

/** Handles a, b and c of one partition in order, with no deadline that could end a handler that waits for itself. */
async function handle(
  group: string,
  act: (consumer: GroupConsumer, context: RecordContext) => unknown,
  { isBatch = false, ...options }: { isBatch?: boolean; commit?: 'manual' } = {},
) {
  const topic = await redis.topic({ partitions: 1 });
  await redis.log.producer().sendBatch(['a', 'b', 'c'].map((value) => ({ topic, value })));
  const seen: unknown[] = [];
  const on = async (value: unknown, context: unknown): Promise<void> => {
    seen.push(value);
    await new Promise(setImmediate);
    await act(consumer, context as RecordContext);
    seen.push(`${value} ended`);
  };
  const consumer: GroupConsumer = redis.log.consumer({
    group,
    topics: topic,
    ordering: 'partition',
    handlerTimeoutMs: 0,
    ...options,
    batch: { maxRecords: 1 },
    ...(isBatch
      ? { batchHandler: ([record], batch) => on(record?.payload, { ...record, ...batch }) }
      : { handler: on }),
  });
  await consumer.start();
  const committed = async (): Promise<number | undefined> => (await redis.log.groups.lag(group))[0]?.committed;
  return { consumer, topic, seen, committed };
}

describe('a handler that awaits its own consumer', () => {
  it.each([
    ['record', false],
    ['batch', true],
  ])('goes on elsewhere after it has ended, when it seeks (%s)', async (what, isBatch) => {
    // given a handler that seeks back, once, from the second record
    let isBack = false;
    const { consumer, seen, committed } = await handle(
      `seeks-${what}`,
      async (own, { topic, partition, offset }) => {
        if (offset !== 1 || isBack) return;
        isBack = true;
        await own.seek({ topic, partition }, 0);
      },
      { isBatch },
    );

    // when all is handled
    await waitFor(async () => (await committed()) === 3, { what: 'the end' });

    // then the seek took effect when its handler had ended
    expect(seen).toEqual(['a', 'a ended', 'b', 'b ended', 'a', 'a ended', 'b', 'b ended', 'c', 'c ended']);
    await consumer.stop();
  });

  it('has set the offset when the seek resolves, and no commit of what is in hand changes it', async () => {
    // given a handler that seeks to the end, and commits its own record after that
    let seen: number | undefined;
    const { consumer, committed, topic } = await handle(
      'seeks-and-commits',
      async (own, context) => {
        await own.seek(context, 'latest');
        await context.commit();
        await own.commit();
        seen = (await redis.log.groups.lag('seeks-and-commits'))[0]?.committed;
      },
      { commit: 'manual' },
    );

    // then
    await waitFor(() => seen !== undefined, { what: 'the first record' });
    expect(seen).toBe(3);
    await waitFor(() => consumer.assignment[0]?.position === 3, { what: 'the reader to be there' });
    expect(await committed()).toBe(3);
    expect(consumer.assignment).toMatchObject([{ topic, committed: 3 }]);
    await consumer.stop();
  });

  it('starts nothing more after it has ended, when it pauses', async () => {
    const { consumer, seen, committed } = await handle('pauses', async (own) => {
      await own.pause();
      await own.commit();
    });
    await waitFor(async () => (await committed()) === 1, { what: 'the first record' });
    expect(seen).toEqual(['a', 'a ended']);
    consumer.resume();
    await waitFor(() => seen.includes('b ended'), { what: 'the second record' });
    await consumer.stop();
  });

  it('is done and committed, and nothing more is started, when it stops its consumer, or closes its log', async () => {
    const { consumer, seen, committed } = await handle('stops', (own) => own.stop());
    await waitFor(() => consumer.state === 'stopped', { what: 'the stop' });
    expect(seen).toEqual(['a', 'a ended']);
    expect(await committed()).toBe(1);

    // given a log of its own, closed by a handler within middleware, after its payload was validated
    const { log, connection } = await openLog(redis.server.connection);
    const closed: string[] = [];
    const other = log.consumer({
      group: 'closes',
      topics: consumer.options.topics,
      handlerTimeoutMs: 0,
      concurrency: 1,
      middleware: [(_context, next) => next()],
      validate: async (payload) => payload,
      handler: async (payload) => {
        await new Promise(setImmediate);
        await log.close();
        closed.push(`${payload}`);
      },
    });
    await other.start();
    await waitFor(() => other.state === 'stopped', { what: 'the close' });
    expect(closed).toEqual(['a']);
    expect((await redis.log.groups.lag('closes'))[0]?.committed).toBe(1);
    connection.close();
  });
});
