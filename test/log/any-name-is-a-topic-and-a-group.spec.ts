import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deadLettersOf } from '@millrace/core';
import { waitFor } from '@millrace/testing';
import { groupKeys, groupPartitionKey, partitionKeys } from '../../libs/log/src/store/keys.js';
import { awkwardNames } from '../names.js';
import { LogOnRedis } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

describe('any name', () => {
  it.each(awkwardNames)('is that of a topic, a group and a member that do all that these do: %j', async (name) => {
    // given a topic, and a group of that name with a member of that name in another process
    const { log } = redis;
    await log.declareTopic({ name, partitions: 2 });
    const state = { isMended: false, attempts: 0 };
    const handled: unknown[] = [];
    const consumer = (await redis.another()).consumer({
      group: name,
      topics: name,
      memberId: name,
      name,
      retry: { maxRetries: 1, backoff: 0 },
      handler: (value) => {
        if (value === 'poison' && ++state.attempts && !state.isMended) throw new Error('a bug');
        handled.push(value);
      },
    });
    await consumer.start();

    // when records are handled, retried, dead-lettered and sent back
    await log.producer().sendBatch([0, 1].map((partition) => ({ topic: name, partition, value: 'good' })));
    await log.producer().send({ topic: name, partition: 1, value: 'poison' });
    const dead = deadLettersOf(name);
    await waitFor(async () => (await redis.records(dead, 1).catch(() => [])).length === 1, { what: 'the dead letter' });
    expect(state.attempts).toBe(2);
    state.isMended = true;
    expect(await log.redrive({ topic: dead })).toMatchObject({ redriven: 1, impossible: 0 });
    expect(await log.redrive({ topic: dead })).toMatchObject({ redriven: 0, repeated: 1 });

    // then each is handled once, and an operator sees them by their names
    await waitFor(() => handled.length === 3, { what: 'all three' });
    expect(handled).toEqual(['good', 'good', 'poison']);
    await waitFor(async () => (await log.groups.lag(name)).every(({ lag }) => lag === 0), { what: 'the commits' });
    expect(await log.groups.describe(name)).toMatchObject({ group: name, members: [{ memberId: name }] });
    expect((await log.groups.lag(name)).map(({ topic, owner }) => [topic, owner])).toEqual([
      [name, name],
      [name, name],
    ]);
    expect(await log.groups.list()).toContain(name);
    expect((await log.listTopics()).map((topic) => topic.name)).toEqual(expect.arrayContaining([name, dead]));

    // and nothing is left when they are deleted
    await consumer.stop();
    expect(await log.groups.removeMember(name, name)).toBe(true);
    expect(await log.groups.delete(name)).toBe(true);
    for (const topic of [name, dead]) await log.deleteTopic(topic);
    const { meta: _mark, ...rest } = partitionKeys(redis.connection.prefix, name, 1);
    const place = groupPartitionKey(redis.connection.prefix, name, 1, name);
    for (const key of [...Object.values(rest), ...Object.values(groupKeys(redis.connection.prefix, name)), place]) {
      expect(await redis.connection.commands.exists(key)).toBe(0);
    }
  });

  it('is seen as it is by a pattern', async () => {
    // given
    for (const name of ['weather: oslo', 'weather%3A oslo', 'weather:\u00a0oslo'])
      await redis.log.declareTopic({ name });
    const seen: string[] = [];
    const consumer = redis.log.consumer({
      group: 'by pattern',
      topics: /^weather: /,
      handler: (_, { topic }) => void seen.push(topic),
    });
    await consumer.start();
    // when
    const names = ['weather%3A oslo', 'weather:\u00a0oslo', 'weather: oslo', 'weather: bergen'];
    await redis.log.declareTopic({ name: 'weather: bergen' });
    for (const topic of names) await redis.log.producer().send({ topic, value: 1 });
    // then
    await waitFor(() => seen.length === 2, { what: 'both' });
    expect(seen.sort()).toEqual(['weather: bergen', 'weather: oslo']);
    expect((await redis.log.groups.lag('by pattern')).map(({ topic }) => topic).sort()).toEqual(seen);
    await consumer.stop();
  });

  it('is no other topic, partition or group', async () => {
    // given
    const topics = ['t', 't:0', 't%3A0', '{t', 'é', 'e\u0301'];
    const groups = ['g', 'g:t', 'redrive', '%72edrive', 't:g'];
    for (const name of topics) await redis.log.declareTopic({ name, partitions: 2 });
    // when each topic gets as many records as it has a number, and each group is set to its own
    for (const [index, topic] of topics.entries()) {
      const records = Array.from({ length: 10 + index }, () => ({ topic, partition: 0, value: topic }));
      await redis.log.producer().sendBatch(records);
      for (const [to, group] of groups.entries())
        await redis.log.groups.resetOffsets(group, { topic, to, partitions: [0] });
    }
    // then each has its own
    for (const [index, topic] of topics.entries()) {
      expect((await redis.records(topic)).map(({ value }) => value)).toEqual(Array(10 + index).fill(topic));
      for (const [to, group] of groups.entries()) {
        expect(await redis.log.groups.lag(group)).toContainEqual(
          expect.objectContaining({ topic, partition: 0, committed: to, lag: 10 + index - to }),
        );
      }
    }
  });

  it.each(['a\nb', '\u007f', 'a\ud83e'])('has no %j: that is refused wherever a name is given', async (name) => {
    const topic = await redis.topic();
    const handler = () => undefined;
    const refused = /name ".*" holds (the control character|half a surrogate pair)/;
    await expect(redis.log.declareTopic({ name })).rejects.toThrow(refused);
    await expect(redis.log.declareTopic({ name: 'own', deadLetter: { topic: name } })).rejects.toThrow(refused);
    expect(() => redis.log.consumer({ group: name, topics: topic, handler })).toThrow(refused);
    expect(() => redis.log.consumer({ group: 'g', topics: name, handler })).toThrow(refused);
    expect(() => redis.log.consumer({ group: 'g', topics: topic, memberId: name, handler })).toThrow(refused);
    expect(() => redis.log.consumer({ group: 'g', topics: topic, name, handler })).toThrow(refused);
    await expect(redis.log.groups.delete(name)).rejects.toThrow(refused);
    await expect(redis.log.groups.removeMember('g', name)).rejects.toThrow(refused);
  });

  it.each(['.', '..'])('of a topic, group or member is not %j', async (name) => {
    const consumer = { group: 'g', topics: 't', handler: () => undefined };
    expect(() => redis.log.consumer({ ...consumer, group: name })).toThrow(`group name "${name}" is reserved`);
    expect(() => redis.log.consumer({ ...consumer, memberId: name })).toThrow(`member name "${name}" is reserved`);
    const reset = redis.log.groups.resetOffsets(name, { topic: 't', to: 'earliest' });
    await expect(reset).rejects.toThrow(`group name "${name}" is reserved`);
    await expect(redis.log.declareTopic({ name })).rejects.toThrow(`topic name "${name}" is reserved for folders`);
  });
});
