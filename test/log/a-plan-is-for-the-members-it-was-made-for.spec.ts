import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { groupKeys } from '../../libs/log/src/store/keys.js';
import { joinGroup } from '../../libs/log/src/store/members.js';
import { proposePlan } from '../../libs/log/src/store/plan.js';
import { readGroup } from '../../libs/log/src/store/stored-group.js';
import { LogOnRedis } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

describe('the plan of a group', () => {
  it('is replaced only by one made of the latest plan and the present members', async () => {
    // given a group of one member, and its first plan
    const client = redis.connection.commands;
    const keys = groupKeys(redis.connection.prefix, 'g');
    const enter = (memberId: string) =>
      joinGroup(client, keys, { memberId, incarnation: '1', subscription: '{}', presence: '{}', sessionMs: 60_000 });
    await enter('a');
    expect(await proposePlan(client, keys, { version: 1, generation: 0 }, 'first')).toBe(1);

    // when another process proposes one that knows nothing of it, then it is refused
    expect(await proposePlan(client, keys, { version: 1, generation: 0 }, 'second')).toBeUndefined();
    // and when a member has joined since, then too
    await enter('b');
    expect(await proposePlan(client, keys, { version: 1, generation: 1 }, 'third')).toBeUndefined();
    expect(await readGroup(client, keys)).toMatchObject({ generation: 1, plan: 'first' });

    // when it knows both, then it is the plan
    expect(await proposePlan(client, keys, { version: 2, generation: 1 }, 'fourth')).toBe(2);
    expect(await readGroup(client, keys)).toMatchObject({ generation: 2, plan: 'fourth' });
  });
});
