import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CodecError, InvalidMessageError, OptionsError, TopicConflictError, TopicNotFoundError } from '@millrace/core';
import type { RecordInput } from '@millrace/log';
import { LogOnRedis } from './log-on-redis.js';

describe('bad input', () => {
  let redis: LogOnRedis;
  let topic: string;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
    topic = await redis.topic({ partitions: 2 });
  });
  afterAll(() => redis.stop());

  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const wrong: [what: string, record: Partial<RecordInput>, message: RegExp][] = [
    ['a partition out of range', { partition: 2 }, /topic "topic-1" has no partition 2: it has 2, numbered from 0/],
    ['a partition that is no number', { partition: 0.5 }, /has no partition 0.5/],
    [
      'a partition in digits',
      { partition: '1' as never },
      /no partition "1": .* A partition is a number, not a string/,
    ],
    [
      'a record too large',
      { value: 'x'.repeat(1024 * 1024) },
      /has 10485\d\d bytes, more than maxRecordBytes \(1048576\)/,
    ],
    ['a value that cannot be encoded', { value: circular }, /cannot be encoded as json: Converting circular/],
    ['no value', { value: undefined }, /cannot be encoded as json: JSON has no undefined/],
    ['a reserved header', { headers: { 'millrace-x': 1 } }, /header "millrace-x" is reserved/],
    ['a header that is none', { headers: { x: Number.NaN } }, /header "x" must be a string, a number/],
    ['a timestamp that is none', { timestamp: 1.5 }, /timestamp must be a whole number of ms/],
    ['a key that is none', { key: 7 as unknown as string }, /key must be a string, got number/],
    ['no topic', { topic: undefined as unknown as string }, /a record must be { topic, value/],
  ];

  it.each(wrong)('is refused in one clear error, and nothing is written: %s', async (_what, record, message) => {
    const producer = redis.log.producer();
    const sending = producer.send({ topic, value: 1, partition: 0, ...record });
    await expect(sending).rejects.toThrow(InvalidMessageError);
    await expect(sending).rejects.toThrow(message);
    expect(await redis.log.endOffset(topic, 0)).toBe(0);
    await producer.close();
  });

  it('like an unknown topic is a TopicNotFoundError, everywhere', async () => {
    const unknown = { topic: 'unknown', partition: 0 };
    await expect(redis.log.producer().send({ topic: 'unknown', value: 1 })).rejects.toThrow(TopicNotFoundError);
    await expect(redis.log.describeTopic('unknown')).rejects.toThrow(TopicNotFoundError);
    await expect(redis.log.endOffset('unknown', 0)).rejects.toThrow(TopicNotFoundError);
    await expect(redis.log.addPartitions('unknown', 3)).rejects.toThrow(TopicNotFoundError);
    await expect(redis.log.read(unknown).next()).rejects.toThrow(TopicNotFoundError);
    expect(await redis.log.deleteTopic('unknown')).toBe(false);
    expect(await redis.admin.keys('*unknown*')).toEqual([]);
  });

  it('in options is reported in one error, with every problem', () => {
    const options = { acks: 'quorum', lingerms: 5, maxBatchBytes: -1 } as object;
    const make = () => redis.log.producer(options);
    expect(make).toThrow(OptionsError);
    expect(make).toThrow(/3 problems/);
    expect(make).toThrow(/did you mean "lingerMs"/);
    expect(() => redis.log.producer({ compression: 'zip' as 'zlib' })).toThrow(/compression must be one of/);
  });

  it('as a middleware around batches is refused: a middleware gets single records', () => {
    const middleware = [() => Promise.resolve()];
    const options = { group: 'g', topics: 't', batchHandler: () => undefined };
    expect(() => redis.log.consumer({ ...options, middleware })).toThrow(OptionsError);
    expect(() => redis.log.consumer({ ...options, middleware })).toThrow(/do it in the batchHandler itself/);
    expect(() => redis.log.consumer({ ...options, middleware: [] })).not.toThrow();
  });

  it('as a place to go to is refused in one clear error', async () => {
    const consumer = redis.log.consumer({ group: 'seeks', topics: topic, handler: () => undefined });
    await consumer.start();
    for (const to of [
      { offset: 3 },
      { timestamp: 'today' },
      { timestamp: Number.NaN },
      -1,
      1.5,
      'first',
      null,
      undefined,
    ]) {
      const seeking = consumer.seek({ topic, partition: 0 }, to as never);
      await expect(seeking).rejects.toThrow(OptionsError);
      await expect(seeking).rejects.toThrow(/whole number of at least 0\), 'earliest', 'latest' or { timestamp/);
    }
    await consumer.stop();
    for (const to of [{ offset: 3 }, { shiftBy: '3' }, null]) {
      await expect(redis.log.groups.resetOffsets('seeks', { topic, to: to as never })).rejects.toThrow(OptionsError);
    }
    expect(await redis.log.groups.lag('seeks')).toMatchObject([{ committed: 0 }, { committed: 0 }]);
  });

  it('in a declaration is refused, and names the problem', async () => {
    await expect(redis.log.declareTopic({ name: 'a\nb' })).rejects.toThrow(/holds the control character U\+000A/);
    await expect(redis.log.declareTopic({ name: 'x'.repeat(256) })).rejects.toThrow(/longer than 255 bytes/);
    await expect(redis.log.declareTopic({ name: 'a', partitions: 0, codec: 'xml' })).rejects.toThrow(OptionsError);
    await expect(redis.log.declareTopic({ name: 'a', codec: 'xml' })).rejects.toThrow(/codec "xml" is unknown/);
    const reject = { unread: 'reject' } as const;
    await expect(redis.log.declareTopic({ name: 'a', retention: reject })).rejects.toThrow(
      /needs retention.maxRecords/,
    );
    expect((await redis.log.listTopics()).map(({ name }) => name)).toEqual([topic]);
  });

  it('in a second declaration that conflicts shows the difference and changes nothing', async () => {
    const again = { name: topic, partitions: 3, retention: { maxRecords: 5 } };
    const error: unknown = await redis.log.declareTopic(again).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TopicConflictError);
    expect((error as Error).message).toMatch(
      /partitions: 2 → 3, retention: \{.*\} → \{"maxRecords":5,"unread":"expire"\}/,
    );
    expect(await redis.log.describeTopic(topic)).toMatchObject({ partitions: 2, version: 1 });
    await expect(redis.log.addPartitions(topic, 1)).rejects.toThrow(/from 2 to 4096, got 1; it has 2/);
  });

  it('in the log is reported with its place: a frame, and a value, that cannot be decoded', async () => {
    const broken = await redis.topic();
    const stream = `millrace:{log:${broken}:0}:records`;
    const frame = Buffer.from([1, 0, 1, 1, 0, 0, 0, 0, 1, 0x7b]);
    await redis.admin.xadd(stream, '0-1', 'b', frame, 't', 0);
    await redis.admin.xadd(stream, '0-2', 'b', 'rubbish', 't', 0);
    await redis.admin.hset(`millrace:{log:${broken}:0}:meta`, 'end', 2);
    const read = (from: number) => redis.log.read({ topic: broken, partition: 0, from }).next();
    await expect(read(0)).rejects.toThrow(CodecError);
    await expect(read(0)).rejects.toThrow(/partition 0, offset 0 cannot be decoded: .*JSON/);
    await expect(read(1)).rejects.toThrow(/the batch that ends at 2 cannot be decoded: .*format version 114/);
  });
});
