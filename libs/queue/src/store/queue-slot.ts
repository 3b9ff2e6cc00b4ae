import { OptionsError } from '@millrace/core';
import { argNames, asInteger, asText, keyNames, type RedisClient, Script } from '@millrace/redis';
import { queueMetaFields, settingFields } from '../model/queue-meta.js';
import type { QueueSettings } from '../model/queue-settings.js';
import { queueOf, type Sharded, slotsOf } from '../model/shards.js';
import { readStoredQueue } from '../model/stored-settings.js';
import { completedKeys } from './completed.js';
import { formerMetaKey, type QueueKeys, queueKeys, unackedKey, waitingKeys } from './keys.js';
import { settingOf } from './setting-values.js';
import { versionOf } from './topology-version.js';

/** The layout of a queue's keys. A queue of another format is not touched. */
const format = 2;

// Creates a queue in its slot, or changes its settings; its messages and state are not changed. The bytes of waiting messages
// are counted here when a limit of bytes is set for the first time on a queue that holds messages; from then on they are updated.
//
// Completed messages are removed when they are no longer kept; those over a lower limit are removed later.
//
// It also stores the topology's version for publishers in a cluster: one that knows an older queue of the name is refused.
//
// KEYS     then the lists of waiting messages
//   settings           :settings            the settings: written
//   state              :state               topology, bytes, used-at: written
//   messages           :messages            waiting frames: measured
//   formerMeta         :meta                of a queue of format 1: deleted when that is empty
//   consumers          :consumers           whether a queue of format 1 has consumers: read
//   completed          :completed           deleted when no longer kept
//   completedMessages  :completed-messages  deleted when no longer kept
//                      :ready, :front, :kept, :ready:<p> …   read
// ARGV     revision    topology version of the settings
//          most        most messages that may be counted
//          format      of the queue
//          fieldCount  of setting fields; then their names, then names and values of those that are set
// RETURNS  1; 0 when there are newer settings, -1 when there are too many messages to count, -2 when a queue of format 1 holds messages
//          or has consumers, -3 when it has a newer format: in these cases nothing was done
// EFFECTS  see KEYS
const writeScript = new Script(`#!lua
local call = redis.call
${keyNames('settings', 'state', 'messages', 'formerMeta', 'consumers', ...completedKeys)}
${argNames('revision', 'most', 'format', 'fieldCount')}
${versionOf}
local present, known, hadLimit = unpack(call('HMGET', settings, 'format', 'revision', 'max-bytes'))
if present and (tonumber(present) or 0) > tonumber(format) then return -3 end
if versionOf(known) > tonumber(revision) then return 0 end
local firstSet, bytes = firstItem + fieldCount, nil
local isLimited, keepsCompleted = false, false
for i = firstSet, #ARGV, 2 do
  isLimited = isLimited or ARGV[i] == 'max-bytes'
  keepsCompleted = keepsCompleted or ARGV[i] == 'keep-completed'
end
if not present and call('EXISTS', formerMeta) == 1 then
  if call('EXISTS', messages, consumers) > 0 then return -2 end
  if call('HEXISTS', formerMeta, 'paused') == 1 then call('HSET', settings, 'paused', 1) end
  call('UNLINK', formerMeta)
end
if isLimited and not hadLimit then
  bytes = 0
  if call('HLEN', messages) > tonumber(most) then return -1 end
  for list = firstList, #KEYS do
    for _, entry in ipairs(call('LRANGE', KEYS[list], 0, -1)) do bytes = bytes + call('HSTRLEN', messages, entry) end
  end
end
if not keepsCompleted then call('UNLINK', completed, completedMessages) end
call('HDEL', settings, unpack(ARGV, firstItem, firstSet - 1))
call('HSET', settings, 'format', format, unpack(ARGV, firstSet))
if versionOf(call('HGET', state, 'topology')) < tonumber(revision) then call('HSET', state, 'topology', revision) end
if bytes then call('HSET', state, 'bytes', bytes) end
local time = call('TIME')
call('HSET', state, 'used-at', time[1] * 1000 + math.floor(time[2] / 1000))
return 1
`);

/** Counting this many takes Redis up to 10 ms. */
const maxCountedMessages = 20_000;

const formerQueue =
  'an older Millrace keeps messages there in another format, or consumes from it: stop its publishers, let its consumers empty the queue, ' +
  'stop them, and declare it again';
const newerQueue = `a newer Millrace keeps it in another format than ${format}: upgrade this one`;

/**
 * `revision` is the topology version of the settings.
 *
 * @throws {OptionsError} a limit of bytes is set for the first time on a queue that holds too many messages
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
    const kept = completedKeys.map((name) => all[name]);
    const own = [all.settings, all.state, all.messages, formerMetaKey(prefix, slot), all.consumers, ...kept];
    const keys = [...own, ...waitingKeys(all, settings.priorities)];
    return asInteger(await writeScript.run(client, keys, [revision, maxCountedMessages, format, ...fields]));
  };
  const written = await Promise.all(slotsOf(settings).map(write));
  if (written.includes(-2)) throw new OptionsError(`queue "${settings.name}"`, [formerQueue]);
  if (written.includes(-3)) throw new OptionsError(`queue "${settings.name}"`, [newerQueue]);
  if (!written.includes(-1)) return;
  throw new OptionsError(`queue "${settings.name}"`, [
    `maxBytes can only be set for the first time while the queue holds at most ${maxCountedMessages} messages: let it drain first`,
  ]);
}

/** The settings of a slot's queue; undefined when there is no such queue. @throws {DamagedStateError} they are damaged */
export async function queueSettings(
  client: RedisClient,
  keys: Pick<QueueKeys, 'settings'>,
  slot: string,
): Promise<QueueSettings | undefined> {
  const json = await client.hget(keys.settings, 'settings');
  return json === null ? undefined : readSlotSettings(json, keys, slot);
}

/** @throws {DamagedStateError} they are damaged */
export function readSlotSettings(json: string, keys: Pick<QueueKeys, 'settings'>, slot: string): QueueSettings {
  return readStoredQueue(json, `${keys.settings}, field settings`, queueOf(slot));
}

// Stores a newer topology version in a queue's slot: publishers in a cluster read it there.
//
// KEYS
//   settings  :settings  whether the queue exists: read
//   state     :state     topology: written
// ARGV     version
// RETURNS  1, or 0 when the queue does not exist
// EFFECTS  see KEYS, unless a newer version is stored
const versionScript = new Script(`#!lua flags=allow-oom
${keyNames('settings', 'state')}
${argNames('version')}
${versionOf}
if redis.call('HEXISTS', settings, 'format') == 0 then return 0 end
if versionOf(redis.call('HGET', state, 'topology')) < tonumber(version) then
  redis.call('HSET', state, 'topology', version)
end
return 1
`);

export async function setVersion(client: RedisClient, prefix: string, queue: Sharded, version: number): Promise<void> {
  const write = (slot: string): Promise<unknown> => {
    const { settings, state } = queueKeys(prefix, slot);
    return versionScript.run(client, [settings, state], [version]);
  };
  await Promise.all(slotsOf(queue).map(write));
}

// Removes a queue with everything in it; its consumers find their registrations gone.
//
// Waiting consumers are woken, to find that out.
//
// KEYS     then all other keys of the queue
//   settings   :settings   revision, idle-expiry: read
//   state      :state      used-at: read
//   wake       :wake       consumers that wait: woken
//   consumers  :consumers  counted
//   messages   :messages   counted
//   idle       :idle       consumers that wait: read
// ARGV     revision    the newest revision of the queue that may be removed
//          conditions  some of 'unused', 'empty', 'idle', and 'look': only check whether it could be removed; or ''
// RETURNS  'removed'; 'in-use', 'not-empty', or 'newer' when it was declared again since: then nothing was done
// EFFECTS  all keys are deleted; for 5 s there may be \`wake\`
const removeScript = new Script(`#!lua flags=allow-oom
local call = redis.call
${keyNames('settings', 'state', 'wake', 'consumers', 'messages', 'idle')}
${argNames('revision', 'conditions')}
${versionOf}
${settingOf}
local known, idleExpiry = unpack(call('HMGET', settings, 'revision', 'idle-expiry'))
if versionOf(known) > tonumber(revision) then return 'newer' end
if conditions:find('unused') and call('ZCARD', consumers) > 0 then return 'in-use' end
if conditions:find('empty') and call('HLEN', messages) > 0 then return 'not-empty' end
if conditions:find('idle') then
  local time = call('TIME')
  local usedAt = call('HGET', state, 'used-at')
  idleExpiry, usedAt = settingOf(idleExpiry), tonumber(usedAt)
  local isIdle = idleExpiry and usedAt and usedAt + idleExpiry <= time[1] * 1000 + math.floor(time[2] / 1000)
  if not isIdle or call('ZCARD', consumers) > 0 then return 'in-use' end
end
if conditions:find('look') then return 'removed' end
local waiting = call('ZRANGE', idle, 0, 999)
call('UNLINK', unpack(KEYS))
for _, id in ipairs(waiting) do call('RPUSH', wake, id) end
-- A consumer that is about to wait takes it; otherwise it expires.
if #waiting > 0 then call('PEXPIRE', wake, 5000) end
return 'removed'
`);

/** Conditions for removing a queue. */
export interface RemoveConditions {
  /** Only if it has no consumers. Default false. */
  readonly ifUnused?: boolean | undefined;
  /** Only if it has no messages. Default false. */
  readonly ifEmpty?: boolean | undefined;
  /** Only if it was neither consumed from nor declared within its `idleExpiryMs`. */
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

/** The keys in which consumers, including dead ones, record what they hold. */
async function unackedKeys(client: RedisClient, prefix: string, slot: string): Promise<string[]> {
  const { consumers, dead } = queueKeys(prefix, slot);
  const ids = await Promise.all([client.zrange(consumers, '0', '-1'), client.smembers(dead)]);
  return ids.flat().map((id) => unackedKey(prefix, slot, id));
}

function removedKeys(all: QueueKeys, priorities: number): string[] {
  const { settings, state, wake, consumers, messages, idle, ready, front, kept, ...others } = all;
  const first = [settings, state, wake, consumers, messages, idle];
  return [...first, ...Object.values<string>(others), ...waitingKeys(all, priorities)];
}
