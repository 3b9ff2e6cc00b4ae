import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OptionsError, WriteError } from '@millrace/core';
import type { ConsumerInput } from '@millrace/log';
import { startProxy, waitFor } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { LogOnRedis, times } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

async function member(group: string, topics: string[], options: Partial<ConsumerInput> = {}) {
  const log = await redis.another();
  const consumer = log.consumer({ group, topics, handler: () => undefined, ...options });
  await consumer.start();
  return consumer;
}

const placesOf = async (group: string) => (await redis.log.groups.lag(group)).map(({ topic }) => topic);

describe('offsets', () => {
  it('of a topic that a running group has left are deleted, those of one that it reads are not', async () => {
    // given a group that read two topics and goes on with one
    const [kept, left] = [await redis.topic(), await redis.topic()];
    const before = await member('leaver', [kept, left]);
    await before.stop();
    const running = await member('leaver', [kept]);

    // when an operator deletes its offsets of either
    await redis.log.groups.deleteOffsets('leaver', left);
    const refused = redis.log.groups.deleteOffsets('leaver', kept);

    // then only the offsets that no member needs are gone
    await expect(refused).rejects.toThrow(OptionsError);
    await expect(refused).rejects.toThrow(`it reads topic "${kept}": member "${running.memberId}" subscribed to it`);
    expect(await placesOf('leaver')).toEqual([kept]);
    await running.stop();
  });

  it('of a topic that a pattern of the group takes are not deleted while it runs', async () => {
    const topic = await redis.topic();
    const running = await redis.log.consumer({
      group: 'pattern',
      topics: new RegExp(`^${topic}$`),
      handler: () => undefined,
    });
    await running.start();
    await expect(redis.log.groups.deleteOffsets('pattern', topic)).rejects.toThrow(/it reads topic/);
    await running.stop();
  });
});

describe('a static member that is dead', () => {
  it('is removed, and the others have its partitions immediately', async () => {
    // given two members, one of which ends and is waited for
    const topic = await redis.topic({ partitions: 2 });
    const dead = await member('static', [topic], { memberId: 'pod-1', sessionTimeoutMs: 600_000, leaseMs: 600_000 });
    const other = await member('static', [topic], { memberId: 'pod-2' });
    await waitFor(() => other.assignment.length === 1, { what: 'the other to have its share' });
    await dead.stop();

    // when it is removed
    expect(await redis.log.groups.removeMember('static', 'pod-1')).toBe(true);

    // then the other has all
    await waitFor(() => other.assignment.length === 2, { what: 'the other to have both' });
    expect(await redis.log.groups.removeMember('static', 'pod-1')).toBe(false);
    await other.stop();
  });
});

describe('a group without members', () => {
  it('expires, so that it does not keep records for ever', async () => {
    // given a group that was tried out once, one that runs, and one that an operator made
    const topic = await redis.topic({ retention: { maxRecords: 1, unread: 'protect' } });
    await (await member('laptop', [topic])).stop();
    const running = await member('running', [topic]);
    await redis.log.groups.resetOffsets('made', { topic, to: 'earliest' });
    await redis.log.producer().sendBatch(times(5, (value) => ({ topic, value })));
    await redis.log.producer().sendBatch(times(5, (value) => ({ topic, value })));
    await waitFor(async () => (await redis.log.groups.lag('running'))[0]?.lag === 0, { what: 'the running group' });

    // when upkeep runs in a process that keeps offsets for a moment
    const upkeep = await redis.another({}, { retentionIntervalMs: 10, offsetsRetentionMs: 1 });
    const expired: string[] = [];
    upkeep.events.on('group-expired', ({ group }) => expired.push(group));
    await upkeep.declareTopic({ name: topic, retention: { maxRecords: 1, unread: 'protect' } });

    // then those without members are gone and reported, and hold nothing back
    await waitFor(() => ['laptop', 'made'].every((group) => expired.includes(group)), { what: 'both to expire' });
    expect(expired).not.toContain('running');
    expect(await redis.log.groups.list()).not.toEqual(expect.arrayContaining(['laptop']));
    expect(await placesOf('laptop')).toEqual([]);
    expect(await placesOf('running')).toEqual([topic]);
    await redis.log.applyRetention(topic);
    expect(await redis.log.beginOffset(topic, 0)).toBe(5);
    await upkeep.close();
    await running.stop();
  });

  it('is kept for as long as the process that looks after it says, from when its last member left', async () => {
    const topic = await redis.topic();
    await (await member('fresh', [topic])).stop();
    const upkeep = await redis.another({}, { retentionIntervalMs: 1, offsetsRetentionMs: 600_000 });
    await upkeep.declareTopic({ name: topic });
    const other = await redis.topic({ retention: { maxRecords: 1 } });
    await redis.log.producer().send({ topic: other, value: 1 });
    await redis.log.producer().send({ topic: other, value: 2 });
    await waitFor(async () => (await redis.log.beginOffset(other, 0)) === 1, { what: 'the upkeep to have run' });
    expect(await placesOf('fresh')).toEqual([topic]);
    await upkeep.close();
  });
});

describe('a topic that rejects', () => {
  it('names the group in the way, and how to be rid of it', async () => {
    const topic = await redis.topic({ retention: { maxRecords: 2, unread: 'reject' } });
    await redis.log.groups.resetOffsets('in-the-way', { topic, to: 'earliest' });
    const producer = redis.log.producer();
    await producer.sendBatch(times(2, (value) => ({ topic, value })));
    const refused = producer.send({ topic, value: 3 });
    await expect(refused).rejects.toThrow(WriteError);
    await expect(refused).rejects.toThrow(/group "in-the-way".*offset 0.*log\.groups\.delete\("in-the-way"\)/s);
  });
});

describe('a group that is deleted while a member joins', () => {
  it('is listed with its member, whether the deletion or the member was first', async () => {
    const deletions = new Set<string>();
    for (let round = 0; round < 10; round++) {
      // given a group without members
      const topic = await redis.topic();
      const group = `joined-${round}`;
      await redis.log.groups.resetOffsets(group, { topic, to: 'earliest' });
      const log = await redis.another();
      const joining = log.consumer({ group, topics: topic, handler: () => undefined });

      // when an operator deletes it while a member joins, each time one round trip later
      const starting = joining.start();
      for (let trip = 0; trip < round; trip++) await redis.connection.commands.ping();
      if (round === 9) await starting;
      const deleted = await redis.log.groups.delete(group).catch((error: unknown) => error);
      await starting;

      // then it is either refused or done before, and the group that has a member is there for every operator
      deletions.add(deleted instanceof OptionsError ? 'refused' : String(deleted));
      expect((await redis.log.groups.describe(group)).members).toHaveLength(1);
      expect(await redis.log.groups.list()).toContain(group);
      await joining.stop();
    }
    expect(deletions).toEqual(new Set(['true', 'refused']));
  });
});

describe('an operator', () => {
  onOneServer('proxy').it('deletes a group also when a reply is lost on the way', async () => {
    // given a group, and an operator whose connection breaks before the first reply
    const topic = await redis.topic();
    await redis.log.groups.resetOffsets('lost-reply', { topic, to: 'earliest' });
    const proxy = await startProxy(redis.server);
    const log = await redis.another({ url: proxy.url });
    // So that the server knows the scripts.
    await log.groups.delete('no-group');

    // when
    const cut = proxy.cutBeforeReply('evalsha');
    const deleted = log.groups.delete('lost-reply');

    // then
    await cut;
    expect(await deleted).toBe(true);
    expect(await redis.log.groups.list()).not.toContain('lost-reply');
  });
});
