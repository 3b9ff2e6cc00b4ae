import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PeerWatch } from '../../libs/log/src/group/peer-watch.js';
import { groupKeys } from '../../libs/log/src/store/keys.js';
import { isMember, joinGroup, removeMember } from '../../libs/log/src/store/members.js';
import { ownPresence } from '../../libs/log/src/store/presence.js';
import { LogOnRedis } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

/** A group of a member that watches and one that is watched, the latter under a connection that is gone, or under the watcher's own. */
async function pair(group: string) {
  const client = redis.connection.commands;
  const keys = groupKeys(redis.connection.prefix, group);
  const own = await ownPresence(client);
  // The ids of connections begin with 1, which a server that has run for a while has given away long ago.
  const gone = Object.fromEntries(Object.keys(own).map((server) => [server, 1]));
  const member = (memberId: string, incarnation: string, presence: object) => ({
    memberId,
    incarnation,
    presence: JSON.stringify(presence),
    subscription: '{}',
    sessionMs: 60_000,
  });
  const enter = (incarnation: string, presence: object) =>
    joinGroup(client, keys, member('other', incarnation, presence));
  await joinGroup(client, keys, member('me', '1', own));
  await enter('1', gone);
  const watch = new PeerWatch(redis.connection, keys, 'me');
  const look = (incarnation: string) =>
    watch.look(
      own,
      new Map([
        ['me', { incarnation: '1' }],
        ['other', { incarnation }],
      ]),
    );
  const isThere = (incarnation: string) => isMember(client, keys, { memberId: 'other', incarnation });
  const remove = (incarnation: string, presence: object) =>
    removeMember(client, keys, { memberId: 'other', incarnation, presence: JSON.stringify(presence) });
  return { look, isThere, enter, remove, own, gone };
}

describe('a member whose connection is gone', () => {
  it('is suspected at the first look, and removed at the second', async () => {
    const { look, isThere } = await pair('two-looks');
    expect(await look('1')).toBe('suspected');
    expect(await isThere('1')).toBe(true);
    expect(await look('1')).toBe('removed');
    expect(await isThere('1')).toBe(false);
  });

  it('stays when it has registered again by the second look', async () => {
    const { look, isThere, enter, own } = await pair('came-back');
    expect(await look('1')).toBe('suspected');
    await enter('1', own);
    expect(await look('1')).toBe('all-there');
    expect(await isThere('1')).toBe(true);
  });

  it('stays when it registers again between a look and its removal', async () => {
    const { isThere, enter, remove, own, gone } = await pair('registered-again');
    await enter('1', own);
    expect(await remove('1', gone)).toBe(false);
    expect(await isThere('1')).toBe(true);
  });

  it('is not removed in place of the process that took its name over', async () => {
    const { isThere, enter, remove, gone } = await pair('replaced');
    await enter('2', gone);
    expect(await remove('1', gone)).toBe(false);
    expect(await isThere('2')).toBe(true);
  });
});
