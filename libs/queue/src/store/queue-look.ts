import { argNames, asInteger, asList, asText, keyNames, type RedisClient, Script } from '@millrace/redis';
import { readStoredVersion } from '../model/stored-settings.js';
import { completedKeys, completedOver } from './completed.js';
import { type QueueKeys, queueKeys, topologyKeys, upkeepLeaderKey, waitingKeys } from './keys.js';
import { checkedKept, settingOf } from './setting-values.js';
import { trimmingDue } from './waiting.js';

const lookKeys = ['settings', 'state', 'expiry', 'ended', 'consumers', 'dead', ...completedKeys] as const;

// Checks what a queue needs that may have no consumer. Reads only.
//
// KEYS     those of `lookKeys`, then the lists of waiting messages
//   settings   :settings   idle-expiry, exclusive, keep-completed
//   state      :state      used-at, owner-at, stale, trim
//   expiry     :expiry     time of the first expiration
//   ended      :ended      whether there are any
//   consumers  :consumers  expired leases
//   dead       :dead       consumers whose messages are not all given back
//   completed  :completed  count and oldest time; `completedMessages` is not read
//              :ready, :front, :kept, :ready:<p> …   lengths
// ARGV     silenceMs  how long an exclusive queue's owner may be silent
// RETURNS  { 1 if something has expired, or stale entries or completed messages must be trimmed,
//          1 if lines must be carried on and there is no consumer to do it, 1 if it was idle for too long, 1 if its owner is gone,
//          1 if it has a consumer, ms until something expires or -1, consumers that are dead while no other is alive }
// EFFECTS  none
const lookScript = new Script(`#!lua flags=no-writes
local call = redis.call
${keyNames(...lookKeys)}
${argNames('silenceMs')}
${settingOf}
${trimmingDue}
${completedOver}
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local idleExpiry, exclusive, kept = unpack(call('HMGET', settings, 'idle-expiry', 'exclusive', 'keep-completed'))
idleExpiry = settingOf(idleExpiry)
${checkedKept}
local usedAt, ownerAt, stale, trim = unpack(call('HMGET', state, 'used-at', 'owner-at', 'stale', 'trim'))
local isUnused = call('ZCARD', consumers) == 0
local first = call('ZRANGE', expiry, 0, 0, 'WITHSCORES')[2]
local used = tonumber(usedAt) or now
local gone = {}
if call('ZCOUNT', consumers, '(' .. now, '+inf') == 0 then
  gone = call('SRANDMEMBER', dead, 10)
  for _, id in ipairs(call('ZRANGE', consumers, 0, 9)) do gone[#gone + 1] = id end
end
return {
  (first and tonumber(first) <= now or (stale or trim) and isTrimmingDue(stale, trim) or kept and isCompletedOver(kept, now)) and 1 or 0,
  isUnused and call('EXISTS', ended) or 0,
  idleExpiry and isUnused and used + idleExpiry <= now and 1 or 0,
  exclusive == '1' and (tonumber(ownerAt) or used) + silenceMs <= now and 1 or 0,
  isUnused and 0 or 1,
  first and math.max(0, first - now) or -1,
  gone,
}
`);

/** What a queue needs that may have no consumer. */
export interface QueueNeeds {
  /** Something has expired, or stale entries or completed messages must be trimmed. */
  readonly hasDue: boolean;
  /** Lines must be carried on. */
  readonly hasEnded: boolean;
  readonly isIdleTooLong: boolean;
  readonly isOwnerGone: boolean;
  /** It has consumers, which do all this themselves. */
  readonly isConsumed: boolean;
  /** Undefined when nothing in it expires. */
  readonly expiresInMs: number | undefined;
  /** Dead consumers, when there is no other to give back what they held. */
  readonly gone: readonly string[];
}

export async function lookAtQueue(
  client: RedisClient,
  keys: QueueKeys,
  priorities: number,
  ownerSilenceMs: number,
): Promise<QueueNeeds> {
  const scriptKeys = [...lookKeys.map((name) => keys[name]), ...waitingKeys(keys, priorities)];
  const reply = asList(await lookScript.run(client, scriptKeys, [ownerSilenceMs]));
  const [hasDue, hasEnded, isIdleTooLong, isOwnerGone, isConsumed] = reply
    .slice(0, 5)
    .map((flag) => asInteger(flag) === 1);
  const expiresInMs = asInteger(reply[5]);
  return {
    hasDue: hasDue === true,
    hasEnded: hasEnded === true,
    isIdleTooLong: isIdleTooLong === true,
    isOwnerGone: isOwnerGone === true,
    isConsumed: isConsumed === true,
    expiresInMs: expiresInMs < 0 ? undefined : expiresInMs,
    gone: asList(reply[6]).map(asText),
  };
}

// Records that the owner of an exclusive queue is alive.
//
// KEYS     settings  :settings  whether the queue exists: read
//          state     :state     owner-at: written
// ARGV     none
// RETURNS  1, or 0 when the queue does not exist
// EFFECTS  see KEYS
const ownScript = new Script(`#!lua flags=allow-oom
${keyNames('settings', 'state')}
if redis.call('HEXISTS', settings, 'format') == 0 then return 0 end
local time = redis.call('TIME')
redis.call('HSET', state, 'owner-at', time[1] * 1000 + math.floor(time[2] / 1000))
return 1
`);

export async function keepOwned(client: RedisClient, prefix: string, queue: string): Promise<void> {
  const { settings, state } = queueKeys(prefix, queue);
  await ownScript.run(client, [settings, state], []);
}

// One Broker, the upkeep leader, looks after queues without consumers: the first to ask, and again as long as it keeps asking. It
// gets the topology's version in the same call, to see whether anything was declared since.
//
// KEYS     of {topology}
//   leader  :keeper  the present leader: read, written
//   meta    :meta    version: read
// ARGV     me      the caller
//          leadMs  for how long it is the leader
// RETURNS  the topology's version when it is the leader, else -1
// EFFECTS  the caller becomes the leader for this time, if no other is
const leaderScript = new Script(`#!lua flags=allow-oom
${keyNames('leader', 'meta')}
${argNames('me', 'leadMs')}
local present = redis.call('GET', leader)
if present and present ~= me then return -1 end
redis.call('SET', leader, me, 'PX', leadMs)
return redis.call('HGET', meta, 'version') or '0'
`);

/** The present version of the topology, if the caller is the upkeep leader; undefined otherwise. */
export async function becomeUpkeepLeader(
  client: RedisClient,
  prefix: string,
  who: string,
  forMs: number,
): Promise<{ readonly version: number | undefined } | undefined> {
  const reply = await leaderScript.run(client, [upkeepLeaderKey(prefix), topologyKeys(prefix).meta], [who, forMs]);
  return reply === -1 ? undefined : { version: readStoredVersion(asText(reply)) };
}
