import { argNames, keyNames, type RedisClient, Script } from '@millrace/redis';
import type { GroupKeys } from './keys.js';

// Checks whether a group has had no member for so long that it expires.
//
// KEYS
//   members  :members  read
//   state    :state    `empty-since`: read; written if it is missing
//   locked   :locked   read
// ARGV     retentionMs  how long a group without members is kept
// RETURNS  1 it has expired; 0 it has members, an operator holds its lock, or its time has not passed
// EFFECTS  see KEYS
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

// Records that an operator gave a group without members an offset: its retention time starts now.
//
// KEYS
//   state  :state  `empty-since` is written
// ARGV     none
// RETURNS  nothing
// EFFECTS  see KEYS
const note = new Script(`#!lua flags=allow-oom
${keyNames('state')}
local time = redis.call('TIME')
redis.call('HSET', state, 'empty-since', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
`);

export async function keepFromNowOn(client: RedisClient, keys: GroupKeys): Promise<void> {
  await note.run(client, [keys.state], []);
}
