import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeadLetter } from '@millrace/core';
import { waitFor } from '@millrace/testing';
import { frameBatch } from '../../libs/log/src/model/record-batch.js';
import { appendBatch } from '../../libs/log/src/store/append.js';
import { partitionKeys } from '../../libs/log/src/store/keys.js';
import { LogOnRedis, times } from './log-on-redis.js';

const dayMs = 86_400_000;
const longAgo = () => Date.now() - 30 * dayMs;

describe('the age of a record', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  /** How long the oldest record that a group has to read waits. */
  async function timeLagOf(topic: string): Promise<number | undefined> {
    const group = `asks-${topic}`;
    await redis.log.groups.resetOffsets(group, { topic, to: 'earliest' });
    return (await redis.log.groups.lag(group)).find((lag) => lag.topic === topic)?.timeLagMs;
  }

  it('is the time since its append, whatever its own timestamp is', async () => {
    for (const timestamp of [longAgo(), Date.now() + dayMs]) {
      // given
      const topic = await redis.topic();
      const before = Date.now();
      await redis.log.producer().send({ topic, value: 1, timestamp });
      // when
      const timeLagMs = await timeLagOf(topic);
      // then
      expect(timeLagMs).toBeGreaterThanOrEqual(0);
      expect(timeLagMs).toBeLessThanOrEqual(Date.now() - before);
      // and a reader gets its own timestamp
      expect(await redis.records(topic)).toMatchObject([{ timestamp }]);
    }
  });

  it('begins again for a dead letter, which is an append of its own', async () => {
    // given
    const topic = await redis.topic();
    await redis.log.declareTopic({ name: `${topic}.dead-letters` });
    const before = Date.now();
    await redis.log.producer().send({ topic, value: 1, timestamp: longAgo() });
    const handler = () => {
      throw new DeadLetter('never wanted');
    };
    const consumer = redis.log.consumer({ group: 'gives-up', topics: topic, handler });
    // when
    await consumer.start();
    await waitFor(async () => (await redis.log.endOffset(`${topic}.dead-letters`, 0)) === 1, { what: 'a dead letter' });
    await consumer.stop();
    // then
    expect(await timeLagOf(`${topic}.dead-letters`)).toBeLessThanOrEqual(Date.now() - before);
  });

  it('is measured from the time beside the batch in what an older version wrote', async () => {
    // given an entry without its append time
    const topic = await redis.topic();
    const base = `millrace:{log:${topic}:0}`;
    const timestamp = Date.now() - 60_000;
    const frame = frameOf(timestamp);
    await redis.admin.xadd(`${base}:records`, '0-1', 'b', frame, 't', timestamp);
    await redis.admin.hset(`${base}:meta`, { end: 1, bytes: frame.length, time: timestamp });
    // then
    expect(await timeLagOf(topic)).toBeGreaterThanOrEqual(60_000);
    expect(await redis.records(topic)).toMatchObject([{ timestamp }]);
  });

  it('is no reason to keep it: retention goes by its own timestamp', async () => {
    // given a record of long ago, written now
    const topic = await redis.topic({ retention: { maxAgeMs: dayMs } });
    await redis.log.producer().send({ topic, value: 1, timestamp: longAgo() });
    // when
    await redis.log.applyRetention(topic);
    // then
    expect(await redis.log.beginOffset(topic, 0)).toBe(1);
  });
});

describe("a topic with timestamps: 'append'", () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  it('gives the append time to readers, handlers, producers and searches', async () => {
    // given two records of long ago
    const topic = await redis.topic({ timestamps: 'append' });
    const before = Date.now();
    const producer = redis.log.producer();
    const sent = await producer.sendBatch(times(2, (value) => ({ topic, value, timestamp: longAgo() })));
    const [{ timestamp = 0 } = {}] = sent;

    // then their timestamp is that of their append: for the producer
    expect(timestamp).toBeGreaterThanOrEqual(before);
    expect(timestamp).toBeLessThanOrEqual(Date.now());
    expect(sent).toMatchObject([{ timestamp }, { timestamp }]);

    // and for readers
    expect(await redis.records(topic)).toMatchObject([{ timestamp }, { timestamp }]);
    expect(await redis.log.offsetForTimestamp(topic, 0, timestamp)).toBe(0);
    expect(await redis.log.offsetForTimestamp(topic, 0, timestamp + 1)).toBe(2);

    // and for handlers
    const seen: number[] = [];
    const handled = redis.log.consumer({
      group: 'one-by-one',
      topics: topic,
      handler: (_value, context) => void seen.push(context.timestamp),
    });
    const batched = redis.log.consumer({
      group: 'batches',
      topics: topic,
      batchHandler: (records) => void seen.push(...records.map((record) => record.timestamp)),
    });
    await Promise.all([handled.start(), batched.start()]);
    await waitFor(() => seen.length === 4, { what: 'both groups to have read' });
    await Promise.all([handled.stop(), batched.stop()]);
    expect(seen).toEqual([timestamp, timestamp, timestamp, timestamp]);

    // and retention goes by it
    await redis.log.alterTopic(topic, { retention: { maxAgeMs: dayMs } });
    await redis.log.applyRetention(topic);
    expect(await redis.log.beginOffset(topic, 0)).toBe(0);
  });

  it('gives it to the producer whose batch came twice', async () => {
    // given a batch whose reply was lost
    const topic = await redis.topic({ timestamps: 'append' });
    const { id: topicId } = await redis.log.describeTopic(topic);
    const keys = partitionKeys(redis.connection.prefix, topic, 0);
    const maxTimestamp = longAgo();
    const identity = { producerId: 'twice', epoch: 0, sequence: 0 };
    const append = { topicId, count: 1, maxTimestamp, frame: frameOf(maxTimestamp), identity };
    const first = await appendBatch(redis.connection.commands, keys, append);
    // when it is sent again
    const second = await appendBatch(redis.connection.commands, keys, append);
    // then the result is the first one's
    const [{ timestamp } = { timestamp: 0 }] = await redis.records(topic);
    expect(first).toMatchObject({ kind: 'appended', baseOffset: 0, timestamp });
    expect(second).toEqual(first);
  });

  it('may become one while it is in use: what was appended before keeps its timestamps', async () => {
    // given
    const topic = await redis.topic();
    const producer = redis.log.producer();
    const timestamp = longAgo();
    await producer.send({ topic, value: 1, timestamp });
    // when
    const before = Date.now();
    await redis.log.alterTopic(topic, { timestamps: 'append' });
    await producer.send({ topic, value: 2, timestamp });
    await redis.log.alterTopic(topic, { timestamps: 'create' });
    await producer.send({ topic, value: 3, timestamp });
    // then
    const [first, second, third] = (await redis.records(topic)).map((record) => record.timestamp);
    expect([first, third]).toEqual([timestamp, timestamp]);
    expect(second).toBeGreaterThanOrEqual(before);
    expect(await redis.log.offsetForTimestamp(topic, 0, before)).toBe(1);
  });

  it('gives dead letters that are sent back into it a new time', async () => {
    // given a record that was given up
    const topic = await redis.topic({ timestamps: 'append' });
    await redis.log.declareTopic({ name: `${topic}.dead-letters` });
    await redis.log.producer().send({ topic, value: 1 });
    const handler = () => {
      throw new DeadLetter('not now');
    };
    const consumer = redis.log.consumer({ group: 'gives-up', topics: topic, handler });
    await consumer.start();
    await waitFor(async () => (await redis.log.endOffset(`${topic}.dead-letters`, 0)) === 1, { what: 'a dead letter' });
    await consumer.stop();
    // when
    const before = Date.now();
    await redis.log.redrive({ topic: `${topic}.dead-letters` });
    // then
    const records = await redis.records(topic);
    expect(records).toHaveLength(2);
    expect(records[1]?.timestamp).toBeGreaterThanOrEqual(before);
  });

  it('is none that an older version declared', async () => {
    // given a topic whose settings say nothing of it
    const name = await redis.topic();
    const key = 'millrace:{topology}:topics';
    const { timestamps: _, ...older } = JSON.parse((await redis.admin.hget(key, name)) ?? '');
    await redis.admin.hset(key, name, JSON.stringify(older));
    // then it is one with the producers' timestamps, and may be declared again as it was
    expect(await redis.log.declareTopic({ name })).toMatchObject({ version: 1, timestamps: 'create' });
  });

  it('refuses what is neither', async () => {
    const wrong = { timestamps: 'broker' as 'append' };
    await expect(redis.topic(wrong)).rejects.toThrow(/timestamps must be one of create, append/);
  });
});

/** A batch of one record. */
function frameOf(baseTimestamp: number): Buffer {
  const body = Buffer.from([0, 0, 0, 1, 0x31]);
  return frameBatch({ codecId: 1, compression: 'none', count: 1, baseTimestamp, body });
}
