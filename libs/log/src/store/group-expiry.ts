import { argNames, keyNames, type RedisClient, Script } from '@millrace/redis';
import type { GroupKeys } from './keys.js';

// Says whether a group has had no member for so long that it is forgotten.
//
// KEYS
//   members  :members  read
//   state    :state    `empty-since`: read; of a group of which it is not known since when it has no members it comes
//   locked   :locked   read
// ARGV     retentionMs  how long a group without members is kept
// RETURNS  1 it is over; 0 it has members, an operator works on it, or it is kept for a while yet
// EFFECTS  as said of the keys
const look = new Script(`#!lua flags=allow-oom
${keyNames('members', 'state', 'locked')}
${argNames('retentionMs')}
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
if redis.call('EXISTS', locked) == 1 or redis.call('ZCOUNT', members, '(' .. now, '+inf') > 0 then return 0 end
local since = tonumber(redis.call('HGET', state, 'empty-since') or '0')
local sessions = redis.call('ZRANGEBYSCORE', members, '-inf', '+inf', 'WITHSCORES')
if #sessions > 0 then since = math.max(since, tonumber(sessions[#sessions])) end
if since > 0 then return since + retentionMs <= tonumber(now) and 1 or 0 end
redis.call('HSET', state, 'empty-since', now)
return 0
`);

export async function isGroupOver(client: RedisClient, keys: GroupKeys, retentionMs: number): Promise<boolean> {
  return (await look.run(client, [keys.members, keys.state, keys.locked], [retentionMs])) === 1;
}

// Notes that an operator gave a group without members an offset: it is kept from now on.
//
// KEYS
//   state  :state  `empty-since` comes
// ARGV     none
// RETURNS  nothing
// EFFECTS  as said of the key
const note = new Script(`#!lua flags=allow-oom
${keyNames('state')}
local time = redis.call('TIME')
redis.call('HSET', state, 'empty-since', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
`);

export async function keepFromNowOn(client: RedisClient, keys: GroupKeys): Promise<void> {
  await note.run(client, [keys.state], []);
}
