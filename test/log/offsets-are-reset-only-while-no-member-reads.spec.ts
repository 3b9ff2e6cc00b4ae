import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OptionsError } from '@millrace/core';
import { OffsetOutOfRangeError, type ResetTarget } from '@millrace/log';
import { waitFor } from '@millrace/testing';
import { lockGroup, unlockGroup } from '../../libs/log/src/store/group-offsets.js';
import { groupKeys } from '../../libs/log/src/store/keys.js';
import { acquireLease } from '../../libs/log/src/store/lease.js';
import { LogOnRedis, times } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

/** A group that has read six of ten records in each of two partitions. */
async function halfRead(group: string): Promise<string> {
  const topic = await redis.topic({ partitions: 2 });
  const records = times(20, (value) => ({
    topic,
    partition: value % 2,
    value,
    timestamp: 1000 + Math.floor(value / 2),
  }));
  await redis.log.producer().sendBatch(records);
  await redis.log.groups.resetOffsets(group, { topic, to: 6 });
  return topic;
}

async function scriptCalls(): Promise<number> {
  const calls = [...(await redis.admin.info('commandstats')).matchAll(/cmdstat_evalsha:calls=(\d+)/g)];
  return calls.reduce((sum, [, count]) => sum + Number(count), 0);
}

describe('an operator', () => {
  it.each([
    ['earliest', 0],
    ['latest', 10],
    [3, 3],
    [{ timestamp: 1008 }, 8],
    [{ shiftBy: -2 }, 4],
    [{ shiftBy: 100 }, 10],
  ] as [ResetTarget, number][])('resets a group to %j, and can see what it would do before', async (to, expected) => {
    const group = `reset-${JSON.stringify(to).replace(/\W/g, '')}`;
    const topic = await halfRead(group);
    const changes = times(2, (partition) => ({ topic, partition, from: 6, to: expected }));

    expect(await redis.log.groups.resetOffsets(group, { topic, to, dryRun: true })).toEqual(changes);
    expect(await redis.log.groups.lag(group)).toMatchObject(times(2, () => ({ committed: 6, lag: 4 })));

    expect(await redis.log.groups.resetOffsets(group, { topic, to })).toEqual(changes);
    const place = { committed: expected, lag: 10 - expected };
    expect(await redis.log.groups.lag(group)).toMatchObject(times(2, () => place));
  });

  it('changes nothing while the group is active, or when a log does not hold the offset', async () => {
    // given a group with a member
    const topic = await halfRead('active');
    const seen: number[] = [];
    const handler = (value: unknown): void => void seen.push(Number(value));
    const consumer = redis.log.consumer({ group: 'active', topics: topic, handler });
    await consumer.start();
    await waitFor(() => seen.length === 8, { what: 'the group to be done' });

    // when it is to be reset or deleted
    const { groups } = redis.log;
    await expect(groups.resetOffsets('active', { topic, to: 'earliest' })).rejects.toThrow(/it is active/);
    await expect(groups.delete('active')).rejects.toThrow(OptionsError);
    await consumer.stop();
    await expect(groups.resetOffsets('active', { topic, to: 11 })).rejects.toThrow(OffsetOutOfRangeError);

    // then it stands where it was; and once it is reset, its next member reads from there
    expect(await groups.lag('active')).toMatchObject(times(2, () => ({ committed: 10 })));
    await groups.resetOffsets('active', { topic, partitions: [1], to: 8 });
    const again = redis.log.consumer({ group: 'active', topics: topic, handler });
    await again.start();
    await waitFor(() => seen.length === 10, { what: 'two records to come again' });
    expect(seen.slice(8)).toEqual([17, 19]);
    await again.stop();
  });

  it('changes nothing in a partition whose lease a process holds that is no member any more', async () => {
    // given a group without members, and a lease that has not run out
    const topic = await halfRead('held');
    const place = { prefix: redis.connection.prefix, group: 'held', topic, partition: 1 };
    const request = { owner: 'gone 1', leaseMs: 60_000, from: 'ask' as const };
    expect(await acquireLease(redis.connection.commands, place, request)).toMatchObject({ kind: 'acquired' });

    // when it is to be reset or deleted, then it is refused, and the offset stays
    const { groups } = redis.log;
    await expect(groups.resetOffsets('held', { topic, partitions: [1], to: 'earliest' })).rejects.toThrow(OptionsError);
    await expect(groups.delete('held')).rejects.toThrow(OptionsError);
    expect((await groups.lag('held')).find(({ partition }) => partition === 1)).toMatchObject({ committed: 6 });
  });

  it('keeps members out for as long as it works on a group', async () => {
    // given an operator at work
    const topic = await halfRead('locked');
    const keys = groupKeys(redis.connection.prefix, 'locked');
    const client = redis.connection.commands;
    expect(await lockGroup(client, keys, 'operator')).toBe('locked');

    // when a member starts, then it waits, and begins when the operator is done
    const consumer = redis.log.consumer({ group: 'locked', topics: topic, handler: () => undefined });
    const before = await scriptCalls();
    const starting = consumer.start();
    await waitFor(async () => (await scriptCalls()) >= before + 3, { what: 'it to try three times' });
    expect(await lockGroup(client, keys, 'another operator')).toBe('busy');
    expect(await redis.admin.exists(keys.members)).toBe(0);
    await unlockGroup(client, keys, 'operator');
    await starting;
    await waitFor(() => redis.admin.exists(keys.members), { what: 'the member to be in' });
    expect(await lockGroup(client, keys, 'operator')).toBe('active');
    await consumer.stop();
  });

  it('lists, describes and deletes groups', async () => {
    // given a member and a group that is behind by a record
    const topic = await redis.topic({ partitions: 2 });
    await redis.log.producer().send({ topic, partition: 0, value: 1 });
    const consumer = redis.log.consumer({ group: 'known', topics: topic, startPaused: true, handler: () => undefined });
    await consumer.start();

    // when it is asked for
    const description = await redis.log.groups.describe('known');

    // then it returns the owner and the exact lag of each partition
    const { memberId } = consumer;
    const partitions = times(2, (partition) => ({ topic, partition }));
    expect(description).toMatchObject({ state: 'active', members: [{ memberId, partitions }] });
    expect(description.partitions).toMatchObject([
      { partition: 0, committed: 0, end: 1, lag: 1, owner: memberId, epoch: 1 },
      { partition: 1, committed: 0, end: 0, lag: 0, timeLagMs: 0 },
    ]);
    expect(description.partitions[0]?.timeLagMs).toBeGreaterThanOrEqual(0);
    expect(await redis.log.groups.list()).toContain('known');
    await consumer.stop();
    expect(await redis.log.groups.delete('known')).toBe(true);
    expect(await redis.log.groups.list()).not.toContain('known');
    expect(await redis.log.groups.lag('known')).toEqual([]);
    expect(await redis.admin.keys('*known*')).toEqual([]);
  });
});
