import { type Grant, keysOf, type RoleGrants } from './grant.js';

const queue = (names: string): readonly string[] => keysOf('queue', names);
const topology = (names: string): readonly string[] => keysOf('topology', names);

const connection = 'client|setname cluster|info cluster|slots info time';
const scripts = 'eval eval_ro evalsha evalsha_ro';
const lists = queue('ready front kept ready:* front:* kept:*');
const declared = topology('meta exchanges queues bindings changes');

/** Whether something is there, and how much: no content. A script may ask it of keys of several classes in one command. */
function sizes(others: string): Grant {
  return { access: 'read', keys: ['queue:'], commands: `exists hexists llen scard sismember zcard ${others}`.trim() };
}
/** The content of messages, completed ones too. */
const contents: Grant = { keys: queue('messages completed-messages'), commands: 'hdel hget hmget hset' };
/** What consumers hold. */
const held: Grant = { keys: queue('unacked:* dead'), commands: 'sadd smembers srandmember srem' };
/** What a publisher's recent calls did. */
const published: Grant = {
  keys: [...queue('published:*'), ...topology('published:*')],
  commands: 'get pexpire set',
};
const topologyReads: Grant = { access: 'read', keys: declared, commands: 'hget hlen hmget hscan zrange' };

/** Publishes, sends requests and cancels them. */
export const queueProducer: RoleGrants = {
  commands: `${connection} ${scripts}`,
  scriptKeys: ['queue:', 'reply:', 'topology:'],
  grants: [
    { keys: queue('messages'), commands: 'hdel hget hmget hset' },
    { access: 'read', keys: queue('settings'), commands: 'hmget' },
    sizes(''),
    { keys: queue('state ids counts handled progress cancels follow-ups'), commands: 'hdel hget hincrby hmget hset' },
    { keys: lists, commands: 'lpop rpush' },
    { keys: queue('idle'), commands: 'zpopmin' },
    { access: 'write', keys: queue('wake'), commands: 'rpush' },
    {
      keys: queue('seen delayed expiry offered ended held parked brought:*'),
      commands: 'pexpire pttl zadd zmscore zrange zrem zscore',
    },
    { access: 'read', keys: queue('consumers dead'), commands: 'smembers zrange' },
    published,
    topologyReads,
    { keys: keysOf('reply', 'replies consumed'), commands: 'hdel hget hset pexpire unlink xadd xread xtrim' },
  ],
};

/** Handles messages, replies to requests, and carries dead letters to where they belong. */
export const queueConsumer: RoleGrants = {
  commands: `${connection} ${scripts} client|id client|list`,
  scriptKeys: ['queue:', 'topology:'],
  grants: [
    contents,
    { access: 'read', keys: queue('settings'), commands: 'hget hmget' },
    sizes('hstrlen smismember'),
    {
      keys: queue('state counts ids handled progress cancels follow-ups consumer-info'),
      commands: 'hdel hget hgetall hincrby hmget hset',
    },
    { keys: lists, commands: 'lpop lpush lpushx rename rpush' },
    held,
    {
      keys: queue('consumers idle offered delayed expiry held seen ended parked completed brought:*'),
      commands: 'pexpire pttl zadd zmscore zpopmin zrange zrem zscore',
    },
    { keys: queue('wake'), commands: 'blpop rpush' },
    { access: 'write', keys: queue('result:*'), commands: 'set' },
    published,
    topologyReads,
    { access: 'write', keys: keysOf('reply', 'replies'), commands: 'xadd' },
    { access: 'read', keys: keysOf('reply', 'consumed'), commands: 'hget' },
  ],
};

/** Declares, looks at queues and messages, sends dead letters back, and looks after queues without consumers. */
export const queueOperator: RoleGrants = {
  commands: `${connection} ${scripts}`,
  scriptKeys: ['queue:', 'topology:'],
  grants: [
    contents,
    sizes('hlen hstrlen smismember'),
    { keys: queue('settings'), commands: 'hdel hget hmget hset' },
    {
      keys: queue('state counts ids handled progress cancels follow-ups consumer-info'),
      commands: 'hdel hget hincrby hmget hset',
    },
    { keys: lists, commands: 'lpop lpush lpushx lrange rename rpush' },
    held,
    {
      keys: queue('consumers idle offered delayed expiry held seen ended parked completed brought:*'),
      commands: 'pexpire pttl zadd zcount zmscore zpopmin zrange zrem zscore',
    },
    { keys: queue('wake'), commands: 'rpush' },
    { access: 'read', keys: queue('result:*'), commands: 'get' },
    // A queue is removed whole.
    { access: 'write', keys: ['queue:'], commands: 'pexpire unlink' },
    published,
    { keys: declared, commands: 'hdel hget hlen hmget hscan hset zadd zpopmin zrange' },
    { keys: topology('keeper'), commands: 'get set' },
  ],
};
