import { argNames, asInteger, keyNames, type RedisClient, Script } from '@millrace/redis';
import type { QueueKeys } from './keys.js';

// Stops or resumes the deliveries of a queue, for all its consumers.
//
// KEYS
//   settings   :settings   paused: written or removed
//   consumers  :consumers  consumers to wake: read
//   wake       :wake       consumers that are woken when deliveries resume: added
// ARGV     isPaused  '1' to pause, '' to resume
// RETURNS  1, or 0 when there is no such queue
// EFFECTS  see KEYS
const switchScript = new Script(`#!lua flags=allow-oom
${keyNames('settings', 'consumers', 'wake')}
${argNames('isPaused')}
if redis.call('HEXISTS', settings, 'format') == 0 then return 0 end
if isPaused == '1' then redis.call('HSET', settings, 'paused', 1) return 1 end
if redis.call('HDEL', settings, 'paused') == 1 then
  for _, id in ipairs(redis.call('ZRANGE', consumers, 0, 99)) do redis.call('RPUSH', wake, id) end
end
return 1
`);

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
