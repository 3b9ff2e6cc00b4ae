import { type Grant, keysOf, type RoleGrants } from './grant.js';

const log = (names: string): readonly string[] => keysOf('log', names);
const group = (names: string): readonly string[] => keysOf('group', names);
const topology = (names: string): readonly string[] => keysOf('topology', names);

const connection = 'client|setname cluster|info cluster|slots info time';
const topics: Grant = { access: 'read', keys: topology('topics'), commands: 'hget hgetall' };
const presence: Grant = { access: 'read', keys: ['log:', 'group:'], commands: 'exists' };

/** Appends records. */
export const logProducer: RoleGrants = {
  commands: `${connection} eval evalsha wait waitaof`,
  scriptKeys: ['log:'],
  grants: [
    { access: 'write', keys: log('records'), commands: 'xadd' },
    { keys: log('meta producers'), commands: 'hdel hget hmget hset' },
    { access: 'read', keys: topology('topics'), commands: 'hget' },
  ],
};

/** A member of groups: reads, commits, and writes dead letters. */
export const logConsumer: RoleGrants = {
  commands: `${connection} eval evalsha client|id client|list client|unblock`,
  scriptKeys: ['log:', 'group:', 'topology:groups'],
  grants: [
    { keys: log('records'), commands: 'xadd xgroup|create xgroup|setid xinfo|groups xrange xread' },
    { keys: log('group:* meta'), commands: 'hdel hincrby hmget hset' },
    presence,
    { keys: group('state presence subscriptions'), commands: 'hdel hget hgetall hincrby hmget hset' },
    {
      keys: [...group('members'), ...log('copies:*')],
      commands: 'pexpire zadd zrangebyscore zrem zremrangebyscore zscore',
    },
    { access: 'write', keys: [...log('sources'), ...topology('groups')], commands: 'sadd' },
    topics,
  ],
};

/** Declares topics, keeps them to their limits, moves offsets, and sends dead letters back. */
export const logOperator: RoleGrants = {
  commands: `${connection} eval eval_ro evalsha evalsha_ro`,
  scriptKeys: ['log:', 'group:', 'topology:'],
  grants: [
    {
      keys: log('records'),
      commands:
        'xadd xdel xgroup|create xgroup|destroy xgroup|setid xinfo|groups xinfo|stream xlen xrange xread xsetid xtrim',
    },
    { keys: log('rebuilt'), commands: 'del persist pexpire xadd xgroup|create xlen xrevrange xsetid xtrim' },
    // One command that has both keys.
    { keys: log('records rebuilt'), commands: 'rename' },
    { keys: log('group:* meta producers expired'), commands: 'hdel hget hincrby hmget hscan hset pexpire' },
    presence,
    { keys: group('state presence subscriptions'), commands: 'hdel hget hincrby hmget hset' },
    {
      keys: [...group('members'), ...log('copies:*')],
      commands: 'pexpire zadd zcount zrangebyscore zrem zremrangebyscore zscore',
    },
    { keys: [...log('sources'), ...topology('groups')], commands: 'sadd smembers srem' },
    { keys: [...log('upkeep'), ...group('locked')], commands: 'get set' },
    // A partition and a group are removed whole.
    { access: 'write', keys: ['log:', 'group:'], commands: 'del unlink' },
    { keys: topology('topics topic-ids'), commands: 'get hdel hget hgetall hset hsetnx set' },
  ],
};
