import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { partitionForKey } from '@millrace/log';
import { LogOnRedis, times } from './log-on-redis.js';

describe('a key', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  it('always lands in its partition, from any producer and any call', async () => {
    // given
    const topic = await redis.topic({ partitions: 5 });
    const producers = [redis.log.producer(), (await redis.another()).producer({ lingerMs: 2 })];
    // when
    const sent = await Promise.all(
      producers.flatMap((producer) => [
        ...times(200, (n) => producer.send({ topic, key: `key-${n % 40}`, value: n })),
        producer.sendBatch(times(200, (n) => ({ topic, key: `key-${n % 40}`, value: n }))),
      ]),
    );
    // then
    expect(sent.flat()).toHaveLength(800);
    for (let partition = 0; partition < 5; partition++) {
      for (const { key } of await redis.records(topic, partition))
        expect(partitionForKey(key ?? '', 5)).toBe(partition);
    }
  });

  it('gives way to an explicit partition and to a partitioner', async () => {
    const topic = await redis.topic({ partitions: 4 });
    const producer = redis.log.producer({ partitioner: (record) => (record.key === 'mine' ? 2 : undefined) });
    expect(await producer.send({ topic, key: '0', partition: 3, value: 1 })).toMatchObject({ partition: 3 });
    expect(await producer.send({ topic, key: 'mine', value: 1 })).toMatchObject({ partition: 2 });
    expect(await producer.send({ topic, key: '0', value: 1 })).toMatchObject({ partition: partitionForKey('0', 4) });
  });
});
