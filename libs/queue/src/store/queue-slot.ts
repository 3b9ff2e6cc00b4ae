import { OptionsError } from '@millrace/core';
import { asInteger, asText, lua, type RedisClient } from '@millrace/redis';
import { queueMetaFields, settingFields } from '../model/queue-meta.js';
import type { QueueSettings } from '../model/queue-settings.js';
import { type QueueKeys, queueKeys, readyKeys } from './keys.js';

// Creates a queue in its slot, or changes its settings; its messages and counters stay as they are. The bytes of what is
// ready are counted here when a limit of bytes comes new to a queue that holds messages; from then on they are kept.
//
// KEYS 1 meta 2 messages 3… ready
// ARGV 1 revision 2 most messages that may be counted 3 number n of setting fields, then n names, then names and values of
//      those that are set
// RETURNS 1; 0 when newer settings are there, -1 when there are too many messages to count: nothing was done
const writeScript = lua`#!lua
local written = redis.call('HMGET', KEYS[1], 'revision', 'max-bytes')
if written[1] and tonumber(written[1]) > tonumber(ARGV[1]) then return 0 end
local n, bytes = tonumber(ARGV[3]), nil
local isLimited = false
for i = n + 4, #ARGV, 2 do isLimited = isLimited or ARGV[i] == 'max-bytes' end
if isLimited and not written[2] then
  bytes = 0
  if redis.call('HLEN', KEYS[2]) > tonumber(ARGV[2]) then return -1 end
  for key = 3, #KEYS do
    for _, id in ipairs(redis.call('LRANGE', KEYS[key], 0, -1)) do
      bytes = bytes + redis.call('HSTRLEN', KEYS[2], id)
    end
  end
end
redis.call('HDEL', KEYS[1], unpack(ARGV, 4, n + 3))
redis.call('HSET', KEYS[1], unpack(ARGV, n + 4))
if bytes then redis.call('HSET', KEYS[1], 'bytes', bytes) end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'used-at', time[1] * 1000 + math.floor(time[2] / 1000))
return 1
`;

/** Counting so many takes Redis about 50 ms. */
const maxCountedMessages = 100_000;

/**
 * `revision` is the topology version from which the settings are.
 *
 * @throws {OptionsError} a limit of bytes comes new to a queue that holds very many messages
 */
export async function writeQueue(
  client: RedisClient,
  prefix: string,
  settings: QueueSettings,
  revision: number,
): Promise<void> {
  const { meta, messages, ...others } = queueKeys(prefix, settings.name);
  const keys = [meta, messages, ...readyKeys({ meta, messages, ...others }, settings.priorities)];
  const fields = [settingFields.length, ...settingFields, ...queueMetaFields(settings, revision)];
  const written = asInteger(await writeScript.run(client, keys, [revision, maxCountedMessages, ...fields]));
  if (written !== -1) return;
  throw new OptionsError(`queue "${settings.name}"`, [
    `maxBytes can only be set newly while the queue holds at most ${maxCountedMessages} messages: let it drain first`,
  ]);
}

// Tells a queue's slot of a newer topology: in a cluster that is where publishers look.
//
// KEYS 1 meta
// ARGV 1 version
const tellScript = lua`#!lua flags=allow-oom
if redis.call('HEXISTS', KEYS[1], 'name') == 0 then return 0 end
if tonumber(redis.call('HGET', KEYS[1], 'topology') or 0) < tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'topology', ARGV[1])
end
return 1
`;

export async function tellVersion(client: RedisClient, prefix: string, queue: string, version: number): Promise<void> {
  await tellScript.run(client, [queueKeys(prefix, queue).meta], [version]);
}

// Removes a queue with all that is in it; whoever consumes from it finds its registration gone.
//
// KEYS 1 meta 2 wake 3 consumers 4… everything else
// ARGV 1 revision up to which the queue may be removed, 2 some of 'unused', 'empty' and 'idle', or ''
// RETURNS 'removed', 'in-use', 'not-empty', or 'newer' when it was declared again since
const removeScript = lua`#!lua flags=allow-oom
if tonumber(redis.call('HGET', KEYS[1], 'revision') or 0) > tonumber(ARGV[1]) then return 'newer' end
if ARGV[2]:find('unused') and redis.call('ZCARD', KEYS[3]) > 0 then return 'in-use' end
if ARGV[2]:find('empty') and redis.call('HLEN', KEYS[4]) > 0 then return 'not-empty' end
if ARGV[2]:find('idle') then
  local time = redis.call('TIME')
  local meta = redis.call('HMGET', KEYS[1], 'idle-expiry', 'used-at')
  local isIdle = meta[1] and meta[2] and meta[2] + meta[1] <= time[1] * 1000 + math.floor(time[2] / 1000)
  if not isIdle or redis.call('ZCARD', KEYS[3]) > 0 then return 'in-use' end
end
redis.call('UNLINK', unpack(KEYS))
return 'removed'
`;

/** What must be true of a queue that is to be removed. */
export interface RemoveConditions {
  readonly ifUnused?: boolean | undefined;
  readonly ifEmpty?: boolean | undefined;
  /** Nobody consumed from or declared it within its `idleExpiryMs`. */
  readonly ifIdle?: boolean | undefined;
}

export type RemoveResult = 'removed' | 'in-use' | 'not-empty' | 'newer';

export async function removeQueue(
  client: RedisClient,
  prefix: string,
  queue: Pick<QueueSettings, 'name' | 'priorities'>,
  revision: number,
  { ifUnused = false, ifEmpty = false, ifIdle = false }: RemoveConditions = {},
): Promise<RemoveResult> {
  const conditions = `${ifUnused ? 'unused ' : ''}${ifEmpty ? 'empty ' : ''}${ifIdle ? 'idle' : ''}`;
  const reply = await removeScript.run(client, removedKeys(queueKeys(prefix, queue.name), queue.priorities), [
    revision,
    conditions,
  ]);
  return asText(reply) as RemoveResult;
}

function removedKeys(keys: QueueKeys, priorities: number): string[] {
  const { meta, wake, consumers, messages, ...others } = keys;
  const rest = Object.entries(others).flatMap(([name, key]) => (name === 'ready' ? [] : [key]));
  return [meta, wake, consumers, messages, ...rest, ...readyKeys(keys, priorities)];
}
