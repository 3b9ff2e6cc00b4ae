import { asText, lua, type RedisClient } from '@millrace/redis';
import { queueMetaFields, settingFields } from '../model/queue-meta.js';
import type { QueueSettings } from '../model/queue-settings.js';
import { type QueueKeys, queueKeys, readyKeys } from './keys.js';

// Creates a queue in its slot, or changes its settings; its messages and counters stay as they are.
//
// KEYS 1 meta
// ARGV 1 revision 2 number n of setting fields, then n names, then names and values of those that are set
// RETURNS 1; 0 when newer settings are there: nothing was done
const writeScript = lua`#!lua
local written = redis.call('HGET', KEYS[1], 'revision')
if written and tonumber(written) > tonumber(ARGV[1]) then return 0 end
local n = tonumber(ARGV[2])
redis.call('HDEL', KEYS[1], unpack(ARGV, 3, n + 2))
redis.call('HSET', KEYS[1], unpack(ARGV, n + 3))
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'used-at', time[1] * 1000 + math.floor(time[2] / 1000))
return 1
`;

/** `revision` is the topology version from which the settings are. */
export async function writeQueue(
  client: RedisClient,
  prefix: string,
  settings: QueueSettings,
  revision: number,
): Promise<void> {
  const args = [revision, settingFields.length, ...settingFields, ...queueMetaFields(settings, revision)];
  await writeScript.run(client, [queueKeys(prefix, settings.name).meta], args);
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
// ARGV 1 revision up to which the queue may be removed, 2 'unused' or 'empty' or both, or ''
// RETURNS 'removed', 'in-use', 'not-empty', or 'newer' when it was declared again since
const removeScript = lua`#!lua flags=allow-oom
if tonumber(redis.call('HGET', KEYS[1], 'revision') or 0) > tonumber(ARGV[1]) then return 'newer' end
if ARGV[2]:find('unused') and redis.call('ZCARD', KEYS[3]) > 0 then return 'in-use' end
if ARGV[2]:find('empty') and redis.call('HLEN', KEYS[4]) > 0 then return 'not-empty' end
redis.call('UNLINK', unpack(KEYS))
return 'removed'
`;

/** What must be true of a queue that is to be removed. */
export interface RemoveConditions {
  readonly ifUnused?: boolean | undefined;
  readonly ifEmpty?: boolean | undefined;
}

export type RemoveResult = 'removed' | 'in-use' | 'not-empty' | 'newer';

export async function removeQueue(
  client: RedisClient,
  prefix: string,
  queue: Pick<QueueSettings, 'name' | 'priorities'>,
  revision: number,
  { ifUnused = false, ifEmpty = false }: RemoveConditions = {},
): Promise<RemoveResult> {
  const conditions = `${ifUnused ? 'unused ' : ''}${ifEmpty ? 'empty' : ''}`;
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
