import { asInteger, lua, orNothing, type RedisClient } from '@millrace/redis';
import type { QueueKeys } from './keys.js';

/** A dead letter on its way: its frame, and why it died, as JSON. */
export interface Dying {
  readonly id: string;
  readonly why: string;
  readonly frame: Buffer;
}

/** Some of a queue's dead letters that are on their way. */
export async function someDying(client: RedisClient, keys: QueueKeys, cursor: string): Promise<[string, Dying[]]> {
  const [next, pairs] = await client.hscan(keys.dying, cursor, 'COUNT', 100);
  const ids = pairs.filter((_, index) => index % 2 === 0);
  if (ids.length === 0) return [next, []];
  const frames = await client.hmgetBuffer(keys.messages, ...ids);
  return [
    next,
    ids.flatMap((id, index) => {
      const frame = frames[index];
      const why = pairs[index * 2 + 1] ?? '';
      return frame === null || frame === undefined ? [] : [{ id, why, frame }];
    }),
  ];
}

// Forgets dead letters that have arrived.
//
// KEYS 1 messages 2 dying 3 counts 4 handled 5 expiry 6 meta
// ARGV ids
// RETURNS how many were still here
const arrivedScript = lua`#!lua flags=allow-oom
local gone = redis.call('HDEL', KEYS[2], unpack(ARGV))
for _, key in ipairs({KEYS[1], KEYS[3], KEYS[4]}) do redis.call('HDEL', key, unpack(ARGV)) end
redis.call('ZREM', KEYS[5], unpack(ARGV))
redis.call('HINCRBY', KEYS[6], 'dead-lettered', gone)
return gone
`;

export async function deadLettersArrived(
  client: RedisClient,
  keys: QueueKeys,
  ids: readonly string[],
): Promise<number> {
  const { messages, dying, counts, handled, expiry, meta } = keys;
  return asInteger(await arrivedScript.run(client, [messages, dying, counts, handled, expiry, meta], ids));
}

/** The queue's settings as JSON; undefined when there is no such queue. */
export async function queueSettingsJson(client: RedisClient, keys: QueueKeys): Promise<string | undefined> {
  return orNothing(await client.hget(keys.meta, 'settings'), String);
}

// Sets a dead letter aside in its own queue, because it has no other place to go.
//
// KEYS 1 dying 2 parked 3 messages
// ARGV 1 id
// RETURNS 1, or 0 when it was not dying
const parkScript = lua`#!lua flags=allow-oom
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
local time = redis.call('TIME')
if redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1 then
  redis.call('ZADD', KEYS[2], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
end
return 1
`;

export async function parkDying(client: RedisClient, keys: QueueKeys, id: string): Promise<void> {
  await parkScript.run(client, [keys.dying, keys.parked, keys.messages], [id]);
}
