import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { partitionForKey } from '@millrace/log';
import fc from 'fast-check';
import { LogOnRedis, times } from './log-on-redis.js';

const vectors = readFileSync('test/fixtures/murmur2.tsv', 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t'));

describe('a key', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  it.each(vectors)("has the partition that Kafka's Java client gives it: %s", (key = '', hash = '') => {
    const positive = Number(hash) & 0x7fffffff;
    for (const partitions of [1, 2, 3, 7, 12, 100, 4096]) {
      expect(partitionForKey(key, partitions)).toBe(positive % partitions);
    }
  });

  it('has a partition, the same each time, as text and as bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 4096 }), (key, partitions) => {
        const partition = partitionForKey(key, partitions);
        expect(partition).toBe(partitionForKey(Buffer.from(key), partitions));
        expect(partition >= 0 && partition < partitions && Number.isInteger(partition)).toBe(true);
      }),
    );
  });

  it('always lands in its partition, whoever sends it and however', async () => {
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
