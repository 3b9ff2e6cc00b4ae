import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LogOnRedis, times } from './log-on-redis.js';

describe('offsets', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  it('are dense, unique and immutable with ten producers simultaneously', async () => {
    // given
    const topic = await redis.topic();
    const logs = await Promise.all(times(10, () => redis.another()));
    // when
    const sent = await Promise.all(
      logs.map(async (log, who) => {
        const producer = log.producer();
        const single = times(100, (n) => producer.send({ topic, value: `${who}-${n}` }));
        const batches = times(5, (b) => producer.sendBatch(times(20, (n) => ({ topic, value: `${who}-${b}-${n}` }))));
        return [...(await Promise.all(single)), ...(await Promise.all(batches)).flat()];
      }),
    );
    // then
    const offsets = sent.flat().map(({ offset }) => offset);
    expect(offsets.toSorted((a, b) => a - b)).toEqual(times(2000, (n) => n));
    const before = await redis.records<string>(topic);
    expect(before.map(({ offset }) => offset)).toEqual(times(2000, (n) => n));
    await redis.log.producer().send({ topic, value: 'later' });
    expect((await redis.records<string>(topic)).slice(0, 2000)).toEqual(before);
  });

  it('that a send answered are where its value stands', async () => {
    // given
    const topic = await redis.topic({ partitions: 3 });
    const producer = redis.log.producer();
    // when
    const sent = await producer.sendBatch(times(300, (n) => ({ topic, key: `k${n % 17}`, value: n })));
    // then
    const logs = await Promise.all(times(3, (partition) => redis.records<number>(topic, partition)));
    for (const [value, { partition, offset, timestamp }] of sent.entries()) {
      expect(logs[partition]?.[offset]).toMatchObject({ value, offset, timestamp, key: `k${value % 17}` });
    }
  });
});
