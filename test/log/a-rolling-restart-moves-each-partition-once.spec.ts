import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';
import { MemberProgram } from './member-program.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

const partitions = 9;

/** Partition → epoch, once every partition has an owner. */
async function epochsOf(group: string, members: number): Promise<Map<number, number>> {
  return waitFor(
    async () => {
      const { partitions: owned, members: present } = await redis.log.groups.describe(group);
      const shares = present.map((member) => owned.filter(({ owner }) => owner === member.memberId).length);
      const isSettled = present.length === members && shares.every((share) => share === partitions / members);
      if (!isSettled || owned.length !== partitions) return undefined;
      return new Map(owned.map(({ partition, epoch }) => [partition, epoch]));
    },
    { what: `${members} members to share ${partitions} partitions`, timeoutMs: 60_000 },
  );
}

describe('a rolling restart of three members', () => {
  it('moves each partition at most once a restarted member', async () => {
    // given three processes with three partitions each
    const topic = await redis.topic({ partitions });
    const options = { group: 'rolling', topics: topic, heartbeatMs: 100 };
    const members = await Promise.all(times(3, () => MemberProgram.start(redis.server.connection, options)));
    let before = await epochsOf('rolling', 3);

    for (const index of [0, 1, 2]) {
      // when one of them is stopped and started again
      await members[index]?.end();
      members[index] = await MemberProgram.start(redis.server.connection, options);
      const after = await epochsOf('rolling', 3);

      // then no partition had to change its owner twice for it
      const moves = [...after].map(([partition, epoch]) => epoch - (before.get(partition) ?? 0));
      expect(Math.max(...moves)).toBe(1);
      before = after;
    }
    await Promise.all(members.map((member) => member.end()));
  }, 120_000);

  it('moves no partition at all when their ids are static', async () => {
    // given three processes with names of their own
    const topic = await redis.topic({ partitions });
    const start = (memberId: string) =>
      MemberProgram.start(redis.server.connection, { group: 'static', topics: topic, memberId, heartbeatMs: 100 });
    const names = ['one', 'two', 'three'];
    const members = await Promise.all(names.map(start));
    await epochsOf('static', 3);
    const owners = async () => (await redis.log.groups.lag('static')).map(({ owner }) => owner);
    const before = await owners();

    // when each is restarted, the last one after a kill −9
    for (const [index, name] of names.entries()) {
      await members[index]?.program.kill(index === 2 ? 'SIGKILL' : 'SIGTERM');
      members[index] = await start(name);
      await epochsOf('static', 3);
    }

    // then every member has the partitions it had, and none gave one up before its own restart
    expect(await owners()).toEqual(before);
    expect(members.flatMap((member) => member.lines('partition-revoked'))).toEqual([]);
    await Promise.all(members.map((member) => member.end()));
  }, 120_000);
});
