import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LogOnRedis, times } from './log-on-redis.js';

describe('records without a key', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  async function counts(topic: string): Promise<number[]> {
    const { partitionStates } = await redis.log.describeTopic(topic);
    return partitionStates.map(({ end }) => end);
  }

  it('go round the partitions, a batch each', async () => {
    const topic = await redis.topic({ partitions: 4 });
    const producer = redis.log.producer();
    for (let n = 0; n < 40; n++) await producer.sendBatch(times(5, (value) => ({ topic, value })));
    expect(await counts(topic)).toEqual([50, 50, 50, 50]);
  });

  it('go round when each send is awaited', async () => {
    const topic = await redis.topic({ partitions: 3 });
    const producer = redis.log.producer();
    for (let value = 0; value < 30; value++) await producer.send({ topic, value });
    expect(await counts(topic)).toEqual([10, 10, 10]);
  });

  it('of one turn share a batch until it has 16 KiB, then the next partition has its turn', async () => {
    const topic = await redis.topic({ partitions: 4 });
    const producer = redis.log.producer();
    await Promise.all(times(640, () => producer.send({ topic, value: 'x'.repeat(1000) })));
    const each = await counts(topic);
    expect(Math.max(...each) - Math.min(...each)).toBeLessThanOrEqual(16);
  });
});
