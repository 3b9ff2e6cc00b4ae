import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';

const partitions = 8;
const valueBytes = 500_000;
const value = 'x'.repeat(valueBytes);

describe('compressed batches in a process', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  /** `batches` a partition, of one record each. */
  const filled = async (batches: number, key?: string) => {
    const topic = await redis.topic({ partitions, compression: 'zlib', codec: 'raw' });
    const producer = redis.log.producer({ maxBatchBytes: valueBytes });
    const places = times(batches * partitions, (n) => n % partitions);
    await Promise.all(places.map((partition) => producer.send({ topic, partition, key, value: Buffer.from(value) })));
    return topic;
  };

  it('are decompressed up to the limit and one more, over all partitions, and all are handled', async () => {
    // given: 16 MB of records that are some 20 kB in Redis
    const topic = await filled(4);
    const log = await redis.another({}, { maxDecodedBytes: 4 * valueBytes });
    const [bounded, free] = [
      { running: 0, most: 0, handled: 0 },
      { running: 0, most: 0, handled: 0 },
    ];
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const handlerOf = (seen: typeof bounded) => async () => {
      seen.most = Math.max(seen.most, ++seen.running);
      await gate;
      seen.running--;
      seen.handled++;
    };
    // when: one Log with a small limit, and one as it is by default, which shows when everything had its chance
    const consumers = [
      log.consumer({ group: 'bounded', topics: topic, concurrency: 32, ordering: 'none', handler: handlerOf(bounded) }),
      redis.log.consumer({ group: 'free', topics: topic, concurrency: 32, ordering: 'none', handler: handlerOf(free) }),
    ];
    for (const consumer of consumers) await consumer.start();
    await waitFor(() => free.running === 4 * partitions, { what: 'everything to run without a limit' });
    // then
    await waitFor(() => bounded.running >= 4, { what: 'the limit to be reached' });
    release();
    await waitFor(() => bounded.handled === 4 * partitions, { what: 'every record to be handled' });
    expect(bounded.most).toBeLessThanOrEqual(5);
    await Promise.all(consumers.map((consumer) => consumer.stop()));
  });

  it('of a partition that rests hold back no other', async () => {
    // given: a limit that the first batch reaches
    const topic = await filled(2, 'k');
    const log = await redis.another({}, { maxDecodedBytes: 1 });
    const handled: number[] = [];
    const consumer = log.consumer({
      group: 'resting',
      topics: topic,
      handler: async (_value, { partition }) => {
        handled.push(partition);
        if (handled.length === 1) await consumer.pause([{ topic, partition }]);
      },
    });
    // when
    await consumer.start();
    // then
    await waitFor(() => handled.length === 2 * partitions - 1, { what: 'the other partitions' });
    await consumer.resume();
    await waitFor(() => handled.length === 2 * partitions, { what: 'the one that rested' });
    await consumer.stop();
  });
});
