import { lua, type RedisClient } from '@millrace/redis';
import type { GroupKeys } from './keys.js';

/*
 * Tells whether a group has had no member for so long that it is forgotten.
 * KEYS 1 members  2 state  3 locked
 * ARGV 1 how long a group without members is kept, in ms
 * RETURNS 1 it is over, 0 it has members, an operator works on it, or it is kept for a while yet
 * EFFECTS a group of which nobody knows since when it has no members counts from now on
 */
const look = lua`#!lua flags=allow-oom
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
if redis.call('EXISTS', KEYS[3]) == 1 or redis.call('ZCOUNT', KEYS[1], '(' .. now, '+inf') > 0 then return 0 end
local since = tonumber(redis.call('HGET', KEYS[2], 'empty-since') or '0')
local sessions = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '+inf', 'WITHSCORES')
if #sessions > 0 then since = math.max(since, tonumber(sessions[#sessions])) end
if since > 0 then return since + ARGV[1] <= tonumber(now) and 1 or 0 end
redis.call('HSET', KEYS[2], 'empty-since', now)
return 0
`;

export async function isGroupOver(client: RedisClient, keys: GroupKeys, retentionMs: number): Promise<boolean> {
  return (await look.run(client, [keys.members, keys.state, keys.locked], [retentionMs])) === 1;
}

/*
 * Notes that an operator gave a group without members an offset: it is kept from now on.
 * KEYS 1 state
 */
const note = lua`#!lua flags=allow-oom
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'empty-since', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
`;

export async function keepFromNowOn(client: RedisClient, keys: GroupKeys): Promise<void> {
  await note.run(client, [keys.state], []);
}
