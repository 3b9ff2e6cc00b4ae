import { OptionsError } from '@millrace/core';
import { asInteger, asText, lua, type RedisClient } from '@millrace/redis';
import { queueMetaFields, settingFields } from '../model/queue-meta.js';
import type { QueueSettings } from '../model/queue-settings.js';
import { type Sharded, slotsOf } from '../model/shards.js';
import { type QueueKeys, queueKeys, readyKeys, unackedKey } from './keys.js';

// Creates a queue in its slot, or changes its settings; its messages and counters stay as they are. The bytes of what is
// ready are counted here when a limit of bytes comes new to a queue that holds messages; from then on they are kept.
//
// What publishers of a cluster may know of the topology goes along: one that knows an older queue of the name is refused.
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
if tonumber(redis.call('HGET', KEYS[1], 'topology') or 0) < tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 'topology', ARGV[1]) end
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
  const fields = [settingFields.length, ...settingFields, ...queueMetaFields(settings, revision)];
  const write = async (slot: string): Promise<number> => {
    const all = queueKeys(prefix, slot);
    const keys = [all.meta, all.messages, ...readyKeys(all, settings.priorities)];
    return asInteger(await writeScript.run(client, keys, [revision, maxCountedMessages, ...fields]));
  };
  const written = await Promise.all(slotsOf(settings).map(write));
  if (!written.includes(-1)) return;
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

export async function tellVersion(client: RedisClient, prefix: string, queue: Sharded, version: number): Promise<void> {
  await Promise.all(slotsOf(queue).map((slot) => tellScript.run(client, [queueKeys(prefix, slot).meta], [version])));
}

// Removes a queue with all that is in it; its consumers find their registrations gone.
//
// Who waits there is woken, to find that out.
//
// KEYS 1 meta 2 wake 3 consumers 4 messages 5 idle 6… everything else
// ARGV 1 revision up to which the queue may be removed, 2 some of 'unused', 'empty', 'idle', and 'look': only see whether it could be, or ''
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
if ARGV[2]:find('look') then return 'removed' end
local waiting = redis.call('ZRANGE', KEYS[5], 0, 999)
redis.call('UNLINK', unpack(KEYS))
for _, id in ipairs(waiting) do redis.call('RPUSH', KEYS[2], id) end
-- One that was about to wait takes it; one that went away does not.
if #waiting > 0 then redis.call('PEXPIRE', KEYS[2], 5000) end
return 'removed'
`;

/** What must be true of a queue that is to be removed. */
export interface RemoveConditions {
  /** Only without consumers. Default false. */
  readonly ifUnused?: boolean | undefined;
  /** No message is in it. Default false. */
  readonly ifEmpty?: boolean | undefined;
  /** Nobody consumed from or declared it within its `idleExpiryMs`. */
  readonly ifIdle?: boolean | undefined;
}

export type RemoveResult = 'removed' | 'in-use' | 'not-empty' | 'newer';

/** Removes all slots of a queue, or none; except that one may come into use while another is being removed. */
export async function removeQueue(
  client: RedisClient,
  prefix: string,
  queue: Pick<QueueSettings, 'name' | 'priorities' | 'shards'>,
  revision: number,
  { ifUnused = false, ifEmpty = false, ifIdle = false }: RemoveConditions = {},
): Promise<RemoveResult> {
  const conditions = `${ifUnused ? 'unused ' : ''}${ifEmpty ? 'empty ' : ''}${ifIdle ? 'idle ' : ''}`;
  const slots = slotsOf(queue);
  const remove = async (slot: string, look: '' | 'look'): Promise<RemoveResult> => {
    const all = queueKeys(prefix, slot);
    const held = look === 'look' ? [] : await unackedKeys(client, prefix, slot);
    const keys = [...removedKeys(all, queue.priorities), ...held];
    return asText(await removeScript.run(client, keys, [revision, conditions + look])) as RemoveResult;
  };
  const isRemoved = (result: RemoveResult) => result === 'removed';
  if (slots.length > 1) {
    const seen = await Promise.all(slots.map((slot) => remove(slot, 'look')));
    if (!seen.every(isRemoved)) return seen.find((result) => !isRemoved(result)) ?? 'removed';
  }
  const results = await Promise.all(slots.map((slot) => remove(slot, '')));
  return results.find((result) => !isRemoved(result)) ?? 'removed';
}

/** Where consumers note what they hold, also those that are dead. */
async function unackedKeys(client: RedisClient, prefix: string, slot: string): Promise<string[]> {
  const { consumers, dead } = queueKeys(prefix, slot);
  const ids = await Promise.all([client.zrange(consumers, '0', '-1'), client.smembers(dead)]);
  return ids.flat().map((id) => unackedKey(prefix, slot, id));
}

function removedKeys(keys: QueueKeys, priorities: number): string[] {
  const { meta, wake, consumers, messages, idle, ...others } = keys;
  const rest = Object.entries(others).flatMap(([name, key]) => (name === 'ready' ? [] : [key]));
  return [meta, wake, consumers, messages, idle, ...rest, ...readyKeys(keys, priorities)];
}
