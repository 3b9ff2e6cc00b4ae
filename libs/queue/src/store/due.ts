import { asInteger, asList, type RedisClient, Script } from '@millrace/redis';
import { type QueueKeys, readyKeys } from './keys.js';
import { giveBackOffers, recallMs } from './offers.js';

// Moves what is due from `delayed` to the ready lists, and ends what is past its time to live, each at most ARGV 1 times. Recalls
// offers that nobody has claimed for so long.
// An expired message that stands in the middle of a ready list leaves its id there as a ghost: its frame goes on
// under another id, or the ghost would be delivered.
//
// KEYS 1 messages 2 delayed 3 expiry 4 meta 5 dying 6 counts 7 handled 8 parked 9 offered 10… ready, lowest priority first
// ARGV 1 how many at most
// RETURNS { how many were moved or ended; as many as ARGV 1 means there may be more, 1 if dead letters are to be carried on }
const dueScript = new Script(`#!lua flags=allow-oom
${giveBackOffers}
local call = redis.call
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local meta = call('HMGET', KEYS[4], 'max-bytes', 'dead-letter', 'recall', 'recall-at', 'offers')
if meta[4] and tonumber(meta[4]) <= now then
  local overdue = call('ZRANGE', KEYS[9], '-inf', meta[3] or '+inf', 'BYSCORE', 'LIMIT', 0, 1000)
  giveBackOffers(KEYS[9], KEYS[1], KEYS[10], meta[1] and KEYS[4] or nil, overdue)
  if call('EXISTS', KEYS[9]) == 1 then call('HSET', KEYS[4], 'recall', meta[5] or '+inf', 'recall-at', now + ${recallMs})
  else call('HDEL', KEYS[4], 'recall', 'recall-at') end
end
local due = call('ZRANGE', KEYS[2], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[1])
if #due > 0 then
  call('ZREM', KEYS[2], unpack(due))
  for i = 1, #due do
    local level = 0
    if #KEYS > 10 then
      local frame = call('HGET', KEYS[1], due[i])
      level = frame and math.min(frame:byte(2), #KEYS - 10) or 0
    end
    call('RPUSH', KEYS[10 + level], due[i])
    if meta[1] then call('HINCRBY', KEYS[4], 'bytes', call('HSTRLEN', KEYS[1], due[i])) end
  end
end
local hasDied = 0
local over = call('ZRANGE', KEYS[3], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[1])
for i = 1, #over do
  local id, frame = over[i], call('HGET', KEYS[1], over[i])
  call('ZREM', KEYS[3], id)
  if frame and not call('ZSCORE', KEYS[8], id) then
    local wasReady, dead = call('ZREM', KEYS[2], id) == 0, id
    for _, key in ipairs({KEYS[1], KEYS[6], KEYS[7]}) do call('HDEL', key, id) end
    if wasReady then
      call('HINCRBY', KEYS[4], 'ghosts', 1)
      if meta[1] then call('HINCRBY', KEYS[4], 'bytes', -#frame) end
      dead = id .. '~~' .. now
    end
    if meta[2] then
      call('HSET', KEYS[1], dead, frame)
      call('HSET', KEYS[5], dead, cjson.encode({reason = 'expired', id = id, time = now}))
      hasDied = 1
    end
    call('HINCRBY', KEYS[4], 'expired', 1)
  end
end
return {math.max(#due, #over), hasDied}
`);

/** Most messages that one call moves: about a millisecond of Redis' time. */
export const maxDueMessages = 500;

/** What was done about messages that were due or had expired. */
export interface DueResult {
  /** Whether there may be more of them. */
  readonly mayHaveMore: boolean;
  /** Whether some became dead letters, which are to be carried on. */
  readonly hasDied: boolean;
}

/** Makes ready what is due and ends what has expired. */
export async function moveDue(client: RedisClient, keys: QueueKeys, priorities: number): Promise<DueResult> {
  const { messages, delayed, expiry, meta, dying, counts, handled, parked, offered } = keys;
  const scriptKeys = [
    messages,
    delayed,
    expiry,
    meta,
    dying,
    counts,
    handled,
    parked,
    offered,
    ...readyKeys(keys, priorities),
  ];
  const [count, hasDied] = asList(await dueScript.run(client, scriptKeys, [maxDueMessages])).map(asInteger);
  return { mayHaveMore: Number(count) >= maxDueMessages, hasDied: hasDied === 1 };
}
