import { asInteger, lua, type RedisClient } from '@millrace/redis';
import type { QueueKeys } from './keys.js';

// Stops or lets on again the deliveries of a queue, for all its consumers, until it is said otherwise.
//
// KEYS 1 settings 2 consumers 3 wake
// ARGV 1 '1' to pause, '' to resume
// RETURNS 1, or 0 when there is no such queue
const switchScript = lua`#!lua flags=allow-oom
if redis.call('HEXISTS', KEYS[1], 'format') == 0 then return 0 end
if ARGV[1] == '1' then redis.call('HSET', KEYS[1], 'paused', 1) return 1 end
if redis.call('HDEL', KEYS[1], 'paused') == 1 then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, 99)) do redis.call('RPUSH', KEYS[3], id) end
end
return 1
`;

/** False when there is no such queue. */
export async function switchQueue(
  client: RedisClient,
  keys: QueueKeys,
  { isPaused }: { readonly isPaused: boolean },
): Promise<boolean> {
  return (
    asInteger(await switchScript.run(client, [keys.settings, keys.consumers, keys.wake], [isPaused ? '1' : ''])) === 1
  );
}

export async function isQueuePaused(client: RedisClient, keys: QueueKeys): Promise<boolean> {
  return (await client.hexists(keys.settings, 'paused')) === 1;
}
