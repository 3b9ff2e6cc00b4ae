import type { RoleGrants } from './grant.js';

/** Reads whatever Millrace keeps but replies, messages' payloads too, and changes nothing: lists, metrics, dashboards. */
export const viewer: RoleGrants = {
  commands: 'client|setname cluster|info cluster|slots info time eval_ro evalsha_ro',
  scriptKeys: ['queue:', 'log:', 'group:', 'topology:'],
  isReader: true,
  grants: [
    {
      access: 'read',
      keys: ['queue:', 'log:', 'group:', 'topology:'],
      commands:
        'exists get hexists hget hgetall hlen hmget hscan hvals llen lrange memory|usage scard sismember smembers smismember xinfo|groups xlen xrange ' +
        'xread zcard zcount zrange zrangebyscore zscore',
    },
  ],
};

/** Looks into the server: settings, slow commands, latency, memory. It sees no key; but settings hold passwords, slow commands arguments. */
export const doctor: RoleGrants = {
  commands:
    'client|list client|setname cluster|info cluster|slots config|get info latency|history latency|latest memory|doctor memory|stats slowlog|get ' +
    'slowlog|len time',
  scriptKeys: [],
  grants: [],
};
