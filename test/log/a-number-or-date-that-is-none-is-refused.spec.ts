import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { replay } from '@millrace/bridge';
import { OptionsError } from '@millrace/core';
import type { ConsumerInput, ReadFrom } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { LogOnRedis, times } from './log-on-redis.js';

let redis: LogOnRedis;
let broker: Broker;
let topic: string;
beforeAll(async () => {
  redis = await LogOnRedis.start();
  broker = new Broker(redis.connection);
  await broker.declareQueue({ name: 'replayed' });
  topic = await redis.topic({ partitions: 2 });
  await redis.log.producer().sendBatch(times(10, (value) => ({ topic, partition: 0, value })));
});
afterAll(async () => {
  await broker.close();
  await redis.stop();
});

const invalidDate = new Date('never');
const day = new Date(86_400_000);
const consumer = (from: unknown) => async () =>
  void redis.log.consumer({ group: 'g', topics: topic, handler: () => undefined, from } as ConsumerInput);
const read = (options: object) => () => redis.log.read({ topic, partition: 0, ...options }).next();
const groups = () => redis.log.groups;
const reset = (options: object) => () =>
  redis.log.groups.resetOffsets('odd', { topic, to: 'earliest', ...options } as never);
const again = (options: object) => () => replay(redis.log, broker, { topic, into: { queue: 'replayed' }, ...options });
const seek = (to: unknown, where?: unknown) => async () => {
  const member = redis.log.consumer({ group: 'seeker', topics: topic, handler: () => undefined });
  await member.start();
  const place = where === undefined ? { topic, partition: 0 } : where;
  await member.seek(place as never, to as never).finally(() => member.stop());
};
const expire = (retentionMs: unknown) => () => redis.log.groups.expire('odd', retentionMs as never);
const pause = (partitions: unknown) => async () =>
  redis.log.consumer({ group: 'g', topics: topic, handler: () => undefined }).pause(partitions as never);
const redrive = (options: object) => () => redis.log.redrive({ topic, ...options });

const wrong: [what: string, call: () => Promise<unknown>, message: RegExp][] = [
  ['from: { timestamp: NaN }', consumer({ timestamp: Number.NaN }), /from must be .*, got { timestamp: NaN }/],
  ['from: an invalid Date', consumer({ timestamp: invalidDate }), /from must be .*got { timestamp: an invalid Date }/],
  [
    'from: a Date',
    consumer({ timestamp: day }),
    /from must be .*got { timestamp: a Date \(1970-01-02.*\): give its getTime/,
  ],
  ['from: a number', consumer(5), /from must be 'earliest', 'latest' or { timestamp.*got 5/],
  ['read from NaN', read({ from: Number.NaN }), /from must be .*got NaN/],
  [
    'read from an invalid Date',
    read({ from: { timestamp: invalidDate } }),
    /from must be .*got { timestamp: an invalid/,
  ],
  ['read up to a half', read({ to: 2.5 }), /to must be a whole number of at least 0, got 2\.5/],
  ['read a partition "0"', read({ partition: '0' }), /partition must be a whole number.*got "0"/],
  ['deleteRecords before a half', () => redis.log.deleteRecords(topic, 0, 2.5), /before .*whole number.*got 2\.5/],
  ['deleteRecords before NaN', () => redis.log.deleteRecords(topic, 0, Number.NaN), /before .*got NaN/],
  ['deleteRecords before a string', () => redis.log.deleteRecords(topic, 0, '5' as never), /before .*got "5"/],
  [
    'the offset for an invalid Date',
    () => redis.log.offsetForTimestamp(topic, 0, invalidDate as never),
    /timestamp .*got an invalid Date/,
  ],
  ['the offset for NaN', () => redis.log.offsetForTimestamp(topic, 0, Number.NaN), /timestamp .*got NaN/],
  ['more partitions by a half', () => redis.log.addPartitions(topic, 2.5), /partitions must be .*got 2\.5/],
  ['a reset of partitions there are not', reset({ partitions: [1, 2, 0.5] }), /no partition 2.*no partition 0\.5/s],
  ['a reset of no list', reset({ partitions: 1 }), /partitions must be a list.*got 1/],
  ['a reset to NaN', reset({ to: { timestamp: Number.NaN } }), /where to go .*got { timestamp: NaN }/],
  ['a reset by a half', reset({ to: { shiftBy: 0.5 } }), /shiftBy must be a whole number.*got 0\.5/],
  ['a reset of a typo', reset({ dryrun: true }), /unknown option dryrun \(did you mean "dryRun"/],
  ['a reset of one partition', reset({ partition: [0] }), /unknown option partition \(did you mean "partitions"/],
  ['a reset that is tried by a string', reset({ dryRun: 'no' }), /dryRun must be true or false, got "no"/],
  ['a reset of "1"', reset({ partitions: ['1'] }), /no partition "1": it has 2, .*is a number, not a string/],
  ['a reset of nothing', () => groups().resetOffsets('odd', undefined as never), /topic name must be .*where to go/s],
  ['a group that is null', () => groups().describe(null as never), /group name must be a string, got null/],
  ['a change of nothing', () => redis.log.alterTopic(topic, null as never), /a change must be an object, got null/],
  ['a seek to an invalid Date', seek({ timestamp: invalidDate }), /where to go .*got { timestamp: an invalid Date }/],
  ['a pause of half a partition', pause([{ topic: 't', partition: 0.5 }]), /partition must be a whole .*got 0\.5/],
  ['a pause of a number', pause(5), /partitions must be a list of { topic, partition }, got 5/],
  ['a pause of no topic', pause([{ partition: 0 }, null]), /must be { topic, partition }, got an object.*got null/s],
  ['a seek in no partition', seek(0, null), /a partition must be { topic, partition }, got null/],
  ['a seek in half a partition', seek(0, { topic: 't', partition: 0.5 }), /partition must be a whole .*got 0\.5/],
  ['an expiry after null', expire(null), /retentionMs must be a whole number of at least 0, got null/],
  ['an expiry after NaN', expire(Number.NaN), /retentionMs must be a whole number.*got NaN/],
  ['a redrive of a number', redrive({ records: 5 }), /records must be a list of { partition, offset }, got 5/],
  ['a redrive of null', redrive({ records: [null] }), /a record must be { partition, offset }, got null/],
  [
    'a redrive from numbers',
    redrive({ allowTopics: [5] }),
    /allowTopics\[0\]: topic name must be a string, got number/,
  ],
  ['a redrive of a typo', redrive({ maxRedrive: 1 }), /unknown option maxRedrive \(did you mean "maxRedrives"/],
  ['a redrive with no signal', redrive({ signal: true }), /signal must be an AbortSignal/],
  ['a redrive by no filter', redrive({ filter: 'all' }), /filter must be a function, got "all"/],
  ['a redrive of a partition there is not', redrive({ records: [{ partition: 7, offset: 0 }] }), /no partition 7/],
  ['a redrive of half an offset', redrive({ records: [{ partition: 0, offset: 0.5 }] }), /offset .*got 0\.5/],
  ['a replay of partitions there are not', again({ partitions: [9] }), /no partition 9/],
  ['a replay of one partition', again({ partition: [0] }), /unknown option partition \(did you mean "partitions"/],
  ['a replay from NaN', again({ from: Number.NaN }), /from must be .*got NaN/],
  [
    'a replay up to an invalid Date',
    again({ to: { timestamp: invalidDate } }),
    /to must be .*got { timestamp: an invalid/,
  ],
  ['a replay up to a half', again({ to: 2.5 }), /to must be .*got 2\.5/],
];

describe('a number or date that is none', () => {
  it.each(wrong)('is refused with what was given, and nothing is done: %s', async (_what, call, message) => {
    const calling = call();
    await expect(calling).rejects.toThrow(OptionsError);
    await expect(calling).rejects.toThrow(message);
    expect(await redis.log.beginOffset(topic, 0)).toBe(0);
    expect(await redis.log.groups.lag('odd')).toEqual([]);
    expect((await broker.queue('replayed').counts()).ready).toBe(0);
  });

  it('is refused in a reset that is only tried, as in one that is done', async () => {
    await expect(reset({ partitions: [5], dryRun: true })()).rejects.toThrow(/has no partition 5: it has 2/);
  });

  it.each<[ReadFrom, number]>([
    [0, 10],
    ['latest', 0],
    [{ timestamp: 0 }, 10],
    [{ timestamp: 1.5 }, 10],
  ])('is not %j', async (from, count) => {
    const read: unknown[] = [];
    for await (const { value } of redis.log.read({ topic, partition: 0, from })) read.push(value);
    expect(read).toEqual(times(count, (value) => value));
  });
});
