import { asInteger, asList, asText, lua, type RedisClient, Script } from '@millrace/redis';
import { completedKeys, completedOver } from './completed.js';
import { keyNames } from './key-names.js';
import { keeperKey, type QueueKeys, queueKeys, topologyKeys, waitingKeys } from './keys.js';
import { trimmingDue } from './waiting.js';

const lookKeys = ['settings', 'state', 'expiry', 'ended', 'consumers', 'dead', ...completedKeys] as const;

// What a queue needs that nobody may be consuming from. Reads only.
//
// KEYS those of `lookKeys`, then the lists in which messages wait
// ARGV 1 how long an exclusive queue's owner may be silent, ms
// RETURNS { 1 if something has expired, or stale entries or completed messages are to be trimmed, 1 if lines are to be carried on and no consumer is there to do it,
//           1 if it was idle for too long, 1 if its owner is gone, 1 if somebody consumes from it,
//           ms until something expires or -1, consumers that are dead while no other lives }
const lookScript = new Script(`#!lua flags=no-writes
local call = redis.call
${keyNames(...lookKeys)}
${trimmingDue}
${completedOver}
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local idleExpiry, exclusive, kept = unpack(call('HMGET', settings, 'idle-expiry', 'exclusive', 'keep-completed'))
local usedAt, ownerAt, stale, trim = unpack(call('HMGET', state, 'used-at', 'owner-at', 'stale', 'trim'))
local isUnused = call('ZCARD', consumers) == 0
local first = call('ZRANGE', expiry, 0, 0, 'WITHSCORES')[2]
local used = tonumber(usedAt or now)
local gone = {}
if call('ZCOUNT', consumers, '(' .. now, '+inf') == 0 then
  gone = call('SRANDMEMBER', dead, 10)
  for _, id in ipairs(call('ZRANGE', consumers, 0, 9)) do gone[#gone + 1] = id end
end
return {
  (first and tonumber(first) <= now or (stale or trim) and isTrimmingDue(stale, trim) or kept and isCompletedOver(kept, now)) and 1 or 0,
  isUnused and call('EXISTS', ended) or 0,
  idleExpiry and isUnused and used + idleExpiry <= now and 1 or 0,
  exclusive and tonumber(ownerAt or used) + ARGV[1] <= now and 1 or 0,
  isUnused and 0 or 1,
  first and math.max(0, first - now) or -1,
  gone,
}
`);

/** What a queue needs that nobody may be consuming from. */
export interface QueueNeeds {
  /** Something has expired, or stale entries or completed messages are to be trimmed. */
  readonly hasDue: boolean;
  /** Lines are to be carried on. */
  readonly hasEnded: boolean;
  readonly isIdleTooLong: boolean;
  readonly isOwnerGone: boolean;
  /** Consumers do all that themselves. */
  readonly isConsumed: boolean;
  /** Undefined when nothing that is there expires. */
  readonly expiresInMs: number | undefined;
  /** Consumers that are dead, when there is no other to give back what they held. */
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

// The owner of an exclusive queue says that it is alive.
//
// KEYS 1 settings 2 state
// RETURNS 1, or 0 when the queue is gone
const ownScript = lua`#!lua flags=allow-oom
if redis.call('HEXISTS', KEYS[1], 'format') == 0 then return 0 end
local time = redis.call('TIME')
redis.call('HSET', KEYS[2], 'owner-at', time[1] * 1000 + math.floor(time[2] / 1000))
return 1
`;

export async function keepOwned(client: RedisClient, prefix: string, queue: string): Promise<void> {
  const { settings, state } = queueKeys(prefix, queue);
  await ownScript.run(client, [settings, state], []);
}

// One Broker of all looks after the queues that nobody consumes from: whoever asks first, and again as long as it does. It
// learns at the same time whether anything was declared since.
//
// KEYS 1 keeper 2 topology meta
// ARGV 1 who asks 2 for how long, ms
// RETURNS the topology's version when it is the one, else -1
const keeperScript = lua`#!lua flags=allow-oom
local keeper = redis.call('GET', KEYS[1])
if keeper and keeper ~= ARGV[1] then return -1 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return tonumber(redis.call('HGET', KEYS[2], 'version') or 0)
`;

/** The version of the topology as it is now, for the one that is the keeper; undefined for the others. */
export async function becomeKeeper(
  client: RedisClient,
  prefix: string,
  who: string,
  forMs: number,
): Promise<number | undefined> {
  const reply = await keeperScript.run(client, [keeperKey(prefix), topologyKeys(prefix).meta], [who, forMs]);
  const version = asInteger(reply);
  return version < 0 ? undefined : version;
}
