import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DamagedStateError } from '@millrace/core';
import { waitFor } from '@millrace/testing';
import { groupPartitionKey, partitionKeys } from '../../libs/log/src/store/keys.js';
import { LogOnRedis } from './log-on-redis.js';

let redis: LogOnRedis;
const errors: unknown[] = [];
beforeAll(async () => {
  redis = await LogOnRedis.start();
  redis.log.events.on('background-error', ({ error }) => errors.push(error));
});
afterAll(() => redis.stop());

/** A topic of three records, and a group that has handled them. */
class Damaged {
  readonly handled: unknown[] = [];
  readonly send = async (value: unknown): Promise<number> =>
    (await redis.log.producer().send({ topic: this.topic, value })).offset;

  private constructor(readonly topic: string) {}

  static async make(key: 'meta' | 'lease', field: string, value: string): Promise<Damaged> {
    const made = new Damaged(await redis.topic());
    for (const sent of [0, 1, 2]) await made.send(sent);
    expect(await made.consume(() => made.handled.length === 3)).toEqual([0, 1, 2]);
    await redis.admin.hset(key === 'meta' ? made.keys.meta : made.lease, field, value);
    errors.length = 0;
    return made;
  }

  get keys(): ReturnType<typeof partitionKeys> {
    return partitionKeys('millrace', this.topic, 0);
  }

  get lease(): string {
    return groupPartitionKey('millrace', this.topic, 0, this.topic);
  }

  /** What a member of the group handles until then. */
  async consume(until: () => boolean): Promise<unknown[]> {
    this.handled.length = 0;
    const handler = (value: unknown): void => void this.handled.push(value);
    const consumer = redis.log.consumer({ group: this.topic, topics: this.topic, handler });
    await consumer.start();
    await waitFor(until, { what: 'the consumer' });
    await consumer.stop();
    return [...this.handled];
  }
}

describe('a partition whose stored numbers were damaged', () => {
  it.each([
    ['end', 'junk'],
    ['end', '1e20'],
    ['start', 'junk'],
    ['start', '99999'],
    ['bytes', 'junk'],
    ['time', 'nan'],
    ['id', 'junk'],
  ])('takes no record, wholly or half, and declaring its topic repairs it: %s = %s', async (field, value) => {
    // given
    const { topic, keys, send } = await Damaged.make('meta', field, value);
    // when
    await expect(send(3)).rejects.toThrow(/whole number.*Declare/s);
    // then
    expect(await redis.admin.xlen(keys.records)).toBe(3);
    await redis.log.declareTopic({ name: topic });
    expect(await send(4)).toBe(3);
  });

  it.each([
    ['end', 'junk'],
    ['end', '1e20'],
    ['start', '99999'],
  ])('has a consumer and an operator say so, and moves no offset: %s = %s', async (field, value) => {
    // given
    const damaged = await Damaged.make('meta', field, value);
    // when
    expect(await damaged.consume(() => errors.length > 0)).toEqual([]);
    // then
    expect(errors[0]).toBeInstanceOf(DamagedStateError);
    expect(String(errors[0])).toMatch(/start, end.*whole numbers.*Declare/);
    await expect(redis.log.groups.lag(damaged.topic)).rejects.toThrow(DamagedStateError);
    await redis.log.declareTopic({ name: damaged.topic });
    await damaged.send(3);
    expect(await damaged.consume(() => damaged.handled.length > 0)).toEqual([3]);
    expect(await redis.log.groups.lag(damaged.topic)).toMatchObject([{ committed: 4, start: 0, end: 4, lag: 0 }]);
  });

  it('has the version of its settings written again when it is no number', async () => {
    // given
    const { topic, keys, send } = await Damaged.make('meta', 'version', 'junk');
    // when
    expect(await send(3)).toBe(3);
    await redis.log.declareTopic({ name: topic });
    // then
    expect(await redis.admin.hget(keys.meta, 'version')).toBe('1');
  });
});

describe('the stored state of a producer', () => {
  it('that is damaged counts for nothing: it goes on under its next epoch', async () => {
    // given
    const topic = await redis.topic();
    const producer = redis.log.producer();
    for (const value of [0, 1]) await producer.send({ topic, value });
    const { producers } = partitionKeys('millrace', topic, 0);
    for (const id of await redis.admin.hkeys(producers)) await redis.admin.hset(producers, id, 'junk');
    // when, then
    expect(await producer.send({ topic, value: 2 })).toMatchObject({ offset: 2 });
  });
});

describe('a lease whose stored numbers were damaged', () => {
  it.each([
    ['epoch', 'junk'],
    ['epoch', '9007199254740993'],
    ['until', 'inf'],
    ['crashes', 'nan'],
    ['rewinds', 'junk'],
    ['committed', 'junk'],
  ])('is taken, and its epoch goes on growing: %s = %s', async (field, value) => {
    // given
    const damaged = await Damaged.make('lease', field, value);
    const epochAfter = async (sent: number): Promise<number> => {
      await damaged.send(sent);
      expect(await damaged.consume(() => damaged.handled.length > 0)).toEqual([sent]);
      return Number(await redis.admin.hget(damaged.lease, 'epoch'));
    };
    // when
    expect(await redis.log.groups.lag(damaged.topic)).toMatchObject([{ committed: 3 }]);
    // then
    const epoch = await epochAfter(3);
    expect(epoch).toBeGreaterThan(1);
    expect(await epochAfter(4)).toBe(epoch + 1);
  });
});
