import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TopicNotFoundError } from '@millrace/core';
import { partitionForKey } from '@millrace/log';
import { waitFor } from '@millrace/testing';
import { appendBatch } from '../../libs/log/src/store/append.js';
import { partitionKeys } from '../../libs/log/src/store/keys.js';
import { LogOnRedis, times } from './log-on-redis.js';

describe('a topic', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  it('can be declared again and again, by many processes simultaneously, with the same settings', async () => {
    const settings = { name: 'orders', partitions: 3, compression: 'zlib', retention: { maxRecords: 10 } } as const;
    const logs = await Promise.all(times(5, () => redis.another()));
    const descriptions = await Promise.all(logs.map((log) => log.declareTopic(settings)));
    expect(new Set(descriptions.map(({ id }) => id)).size).toBe(1);
    expect(descriptions[0]).toMatchObject({
      ...settings,
      codec: 'json',
      version: 1,
      retention: { maxRecords: 10, unread: 'expire' },
      deadLetter: { topic: 'orders.dead-letters' },
      partitionStates: times(3, () => ({ start: 0, end: 0, bytes: 0 })),
    });
    expect((await redis.log.listTopics()).map(({ name }) => name)).toEqual(['orders']);
  });

  it('that is declared again is whole, even if a crash left it half made', async () => {
    const topic = await redis.topic({ partitions: 2 });
    await redis.admin.del(`millrace:{log:${topic}:1}:meta`);
    await redis.log.declareTopic({ name: topic, partitions: 2 });
    expect(await redis.log.producer().send({ topic, partition: 1, value: 1 })).toMatchObject({ offset: 0 });
  });

  it.each([
    ['lost', (key: string) => redis.admin.del(key)],
    ['no number', (key: string) => redis.admin.set(key, 'junk')],
  ])('has an id that no topic before it had, also when the last one is %s', async (_, damage) => {
    // given
    const topic = await redis.topic();
    const { id } = await redis.log.describeTopic(topic);
    await redis.log.deleteTopic(topic);
    await damage('millrace:{topology}:topic-ids');
    // when
    const again = await redis.log.declareTopic({ name: topic });
    // then
    expect(again.id).toBeGreaterThan(id);
    expect(await redis.log.producer().send({ topic, value: 1 })).toMatchObject({ offset: 0 });
  });

  it('that was deleted is not brought back by a producer that goes on, and leaves nothing behind', async () => {
    // given
    const topic = await redis.topic({ partitions: 2 });
    const producer = (await redis.another()).producer();
    await producer.sendBatch(times(20, (value) => ({ topic, key: `${value}`, value })));
    const stream = `millrace:{log:${topic}:0}:records`;
    await redis.admin.xgroup('CREATE', stream, 'group', '0-0');
    await redis.admin.hset(`millrace:{log:${topic}:0}:group:group`, 'epoch', 1);
    // when
    const deleted = await redis.log.deleteTopic(topic);
    const late = await Promise.allSettled(times(10, (value) => producer.send({ topic, key: `${value}`, value })));
    // then
    expect(deleted).toBe(true);
    for (const result of late) expect(result).toMatchObject({ reason: expect.any(TopicNotFoundError) });
    const keys = await redis.admin.keys(`*${topic}:*`);
    expect(keys.sort()).toEqual([0, 1].map((partition) => `millrace:{log:${topic}:${partition}}:meta`));
    for (const key of keys) expect(await redis.admin.pttl(key)).toBeGreaterThan(0);
  });

  it('that was declared again gets nothing that was sent to the one before it', async () => {
    // given a batch that was on its way when the topic was deleted, and declared again
    const topic = await redis.topic();
    const { id: topicId } = await redis.log.describeTopic(topic);
    await redis.log.deleteTopic(topic);
    await redis.log.declareTopic({ name: topic });
    // when it arrives
    const keys = partitionKeys(redis.connection.prefix, topic, 0);
    const late = { topicId, count: 1, maxTimestamp: 1, frame: Buffer.from('frame') };
    const reply = await appendBatch(redis.connection.commands, keys, late);
    // then
    expect(reply).toEqual({ kind: 'gone' });
    expect(await redis.log.endOffset(topic, 0)).toBe(0);
  });

  it('that was copied into leaves nothing behind either, and forgets what was copied', async () => {
    // given a dead letter, sent back
    const topic = await redis.topic();
    const failing = { topics: topic, retry: false, handler: () => Promise.reject(new Error('no')) } as const;
    const consumer = redis.log.consumer({ group: topic, ...failing });
    await consumer.start();
    const letters = `${topic}.dead-letters`;
    const dies = async (count: number) => {
      await redis.log.producer().send({ topic, value: count });
      await waitFor(async () => (await redis.records(letters)).length === 1, { what: 'the dead letter' });
      await waitFor(async () => (await redis.log.groups.lag(topic))[0]?.lag === 0, { what: 'its commit' });
    };
    await dies(1);
    await consumer.stop();
    expect(await redis.log.redrive({ topic: letters })).toMatchObject({ redriven: 1 });
    expect(await redis.log.redrive({ topic: letters })).toMatchObject({ repeated: 1 });
    // when both topics are deleted
    await redis.log.deleteTopic(letters);
    await redis.log.deleteTopic(topic);
    // then only the marks are left, and the same may happen again
    expect((await redis.admin.keys(`*{log:${topic}*`)).filter((key) => !key.endsWith(':meta'))).toEqual([]);
    await redis.log.declareTopic({ name: topic });
    const next = redis.log.consumer({ group: topic, ...failing });
    await next.start();
    await dies(2);
    await next.stop();
    expect(await redis.log.redrive({ topic: letters })).toMatchObject({ redriven: 1 });
  });

  it('that is deleted and declared again starts empty, and producers of the old one go on with it', async () => {
    // given
    const topic = await redis.topic();
    const producer = (await redis.another()).producer();
    for (let value = 0; value < 5; value++) await producer.send({ topic, value });
    await redis.admin.hset(`millrace:{log:${topic}:0}:expired`, 'group', 1);
    // when
    await redis.log.deleteTopic(topic);
    await redis.log.declareTopic({ name: topic });
    const sent = await producer.send({ topic, value: 'new' });
    // then
    expect(sent.offset).toBe(0);
    expect((await redis.records(topic)).map(({ value }) => value)).toEqual(['new']);
    expect(await redis.admin.ttl(`millrace:{log:${topic}:0}:meta`)).toBe(-1);
  });

  it('gets partitions that running producers pick up by themselves', async () => {
    // given
    const topic = await redis.topic({ partitions: 1 });
    const producer = (await redis.another()).producer();
    await producer.send({ topic, key: 'a', value: 1 });
    // when
    await redis.log.addPartitions(topic, 4);
    expect(await producer.send({ topic, partition: 3, value: 'explicit' })).toMatchObject({ partition: 3, offset: 0 });
    const keys = times(40, (n) => `key-${n}`);
    const sent = await Promise.all(keys.map((key) => producer.send({ topic, key, value: 1 })));
    // then
    expect(sent.map(({ partition }) => partition)).toEqual(keys.map((key) => partitionForKey(key, 4)));
  });

  it('whose new partitions are seen in the reply to an append', async () => {
    const topic = await redis.topic({ partitions: 1 });
    const producer = (await redis.another()).producer();
    await producer.send({ topic, value: 1 });
    await redis.log.addPartitions(topic, 2);
    const seen = new Set<number>();
    for (let n = 0; n < 20 && seen.size < 2; n++) seen.add((await producer.send({ topic, value: n })).partition);
    expect(seen).toEqual(new Set([0, 1]));
  });

  it('is altered while it is in use', async () => {
    const topic = await redis.topic();
    const producer = (await redis.another()).producer();
    await producer.send({ topic, value: 1 });
    const altered = await redis.log.alterTopic(topic, { compression: 'brotli', retention: { maxRecords: 3 } });
    expect(altered).toMatchObject({
      version: 2,
      compression: 'brotli',
      retention: { maxRecords: 3, unread: 'expire' },
    });
    await redis.log.declareTopic({ name: topic, compression: 'brotli', retention: { maxRecords: 3 } });
    await expect(redis.log.alterTopic(topic, { partitions: 2 } as object)).rejects.toThrow(
      /partitions cannot be altered/,
    );
  });
});
