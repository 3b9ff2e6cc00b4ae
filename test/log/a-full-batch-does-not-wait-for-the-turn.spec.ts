import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ProducerOptions } from '@millrace/log';
import { LogOnRedis, times } from './log-on-redis.js';

// 100 of them have more than 16 KiB.
const value = 'x'.repeat(200);

describe('a full batch', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  /** Records of each batch of partition 0. */
  async function batches(topic: string): Promise<number[]> {
    const entries = await redis.admin.xrange(`millrace:{log:${topic}:0}:records`, '-', '+');
    const ends = entries.map(([id]) => Number(id.split('-')[1]));
    return ends.map((end, index) => end - (ends[index - 1] ?? 0));
  }

  async function sendAtOnce(count: number, options: Partial<ProducerOptions> = {}, partitions = 1): Promise<string> {
    const topic = await redis.topic({ partitions });
    const producer = redis.log.producer(options);
    await producer.send({ topic, partition: 0, value: 'the topic is known' });
    await Promise.all(times(count, () => producer.send({ topic, value })));
    return topic;
  }

  it('goes before the turn ends, and what comes meanwhile shares the next one', async () => {
    const topic = await sendAtOnce(800);
    const [, first = 0, ...rest] = await batches(topic);
    expect(first * value.length).toBeLessThan(17 * 1024);
    expect(rest).toEqual([800 - first]);
  });

  it('keeps the order of its records and of those behind it', async () => {
    const topic = await redis.topic();
    const producer = redis.log.producer();
    const offsets = await Promise.all(times(400, (n) => producer.send({ topic, value: { n, value } })));
    expect(offsets.map(({ offset }) => offset)).toEqual(times(400, (n) => n));
    const records = await redis.records<{ n: number }>(topic);
    expect(records.map((record) => record.value.n)).toEqual(times(400, (n) => n));
  });

  it('waits all the same where the producer lingers', async () => {
    const topic = await sendAtOnce(400, { lingerMs: 5 });
    expect(await batches(topic)).toEqual([1, 400]);
  });

  it('is not cut out of a sendBatch', async () => {
    const topic = await redis.topic();
    const producer = redis.log.producer();
    const sent = times(3, () => producer.sendBatch(times(100, () => ({ topic, value }))));
    await Promise.all(sent);
    const sizes = await batches(topic);
    expect(sizes.every((size) => size % 100 === 0)).toBe(true);
  });

  it('gives its turn to the next partition', async () => {
    const topic = await sendAtOnce(300, {}, 4);
    const { partitionStates } = await redis.log.describeTopic(topic);
    expect(Math.max(...partitionStates.map(({ end }) => end))).toBeLessThan(100);
  });
});
