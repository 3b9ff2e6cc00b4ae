import { argNames, asInteger, asList, keyNames, type RedisClient, Script } from '@millrace/redis';
import { completedKeys, completedOver, trimCompleted } from './completed.js';
import { endingKeys, endMessages, followEnding, followKeys } from './endings.js';
import { type QueueKeys, waitingKeys } from './keys.js';
import { giveBackOffers, recallMs } from './offers.js';
import { trimmingDue, trimSlice, waitingLists } from './waiting.js';

const dueKeys = [...endingKeys, ...followKeys, 'delayed', 'parked', 'offered', ...completedKeys] as const;

// Moves what is due from `delayed` to where messages wait, and ends what is past its time to live, each at most `most` times. Recalls
// offers that nobody has claimed for so long. Takes a slice of stale entries out of the lists, if there are too many, and one of what is kept of completed messages
// beyond its limits.
//
// An expired message that stands in the middle of a list leaves its entry there, stale: as a dead letter it has another name.
//
// KEYS     those of `dueKeys`, then the lists in which messages wait
//          those of `endingKeys`   of what has expired: removed, see `endMessages`
//   settings           :settings            max-bytes, dead-letter, keep-completed: read
//   state              :state               counters, recall, trim: kept
//   ended              :ended               what has expired comes, if the queue has a place for dead letters
//   followUps          :follow-ups          see `follow`
//   delayed            :delayed             what is due goes
//   expiry             :expiry              what is over goes
//   parked             :parked              what stands there does not expire
//   messages           :messages            frames: read; of an expired one it comes back under the name of its dead letter
//   ids                :ids                 an expired one's id leads to its dead letter
//   offered            :offered             what nobody claimed goes
//   completed          :completed           what is beyond the limits goes
//   completedMessages  :completed-messages  the same
//                      :ready, :front, :kept, :ready:<p> …   what is due or recalled comes, stale entries go
// ARGV     most  how many at most
// RETURNS  { how many were moved or ended; as many as `most` means there may be more, 1 if lines are to be carried on,
//          1 if trimming, of the lists or of what is kept, is not over }
// EFFECTS  as said above
const dueScript = new Script(`#!lua flags=allow-oom
local call = redis.call
${keyNames(...dueKeys)}
${argNames('most')}
${waitingLists}
${endMessages}
${followEnding}
${giveBackOffers}
${trimmingDue}
${trimSlice}
${completedOver}
${trimCompleted}
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limitBytes, deadLetter, kept = unpack(call('HMGET', settings, 'max-bytes', 'dead-letter', 'keep-completed'))
local recall, recallAt, offers, stale, trim = unpack(call('HMGET', state, 'recall', 'recall-at', 'offers', 'stale', 'trim'))
if recallAt and tonumber(recallAt) <= now then
  giveBackOffers(call('ZRANGE', offered, '-inf', recall or '+inf', 'BYSCORE', 'LIMIT', 0, 1000))
  if call('EXISTS', offered) == 1 then call('HSET', state, 'recall', offers or '+inf', 'recall-at', now + ${recallMs})
  else call('HDEL', state, 'recall', 'recall-at') end
end
local due = call('ZRANGE', delayed, '-inf', now, 'BYSCORE', 'LIMIT', 0, most)
if #due > 0 then call('ZREM', delayed, unpack(due)) end
for i = 1, #due do
  local frame = (levels() > 1 or limitBytes) and call('HGET', messages, due[i])
  putLast(frame and frame:byte(2) or 0, due[i])
  if limitBytes then call('HINCRBY', state, 'bytes', frame and #frame or 0) end
end
local hasDied = 0
local over = call('ZRANGE', expiry, '-inf', now, 'BYSCORE', 'LIMIT', 0, most)
for i = 1, #over do
  local entry, frame = over[i], call('HGET', messages, over[i])
  call('ZREM', expiry, entry)
  if frame and not call('ZSCORE', parked, entry) then
    local wasDelayed, id = call('ZREM', delayed, entry) == 1, idOf(frame)
    endMessages({entry}, now, false)
    if not wasDelayed and call('ZREM', offered, entry) == 0 then
      call('HINCRBY', state, 'stale', 1)
      if limitBytes then call('HINCRBY', state, 'bytes', -#frame) end
    end
    if deadLetter then
      local name = entry .. '!'
      call('HSET', messages, name, frame)
      if id then noteId(ids, id, name) end
      follow(state, ended, followUps, name, 'dead-letter ' .. cjson.encode({reason = 'expired', time = now}))
      hasDied = 1
    end
    call('HINCRBY', state, 'expired', 1)
  end
end
stale = call('HGET', state, 'stale')
local isTrimming = (stale or trim) and isTrimmingDue(stale, trim)
if isTrimming then trimSlice(trim) end
local isLeft = isTrimming and call('HEXISTS', state, 'trim') == 1
isLeft = kept and trimCompleted(kept, now, tonumber(most)) or isLeft
return {math.max(#due, #over), hasDied, isLeft and 1 or 0}
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
  const scriptKeys = [...dueKeys.map((name) => keys[name]), ...waitingKeys(keys, priorities)];
  const reply = asList(await dueScript.run(client, scriptKeys, [maxDueMessages])).map(asInteger);
  const [count, hasDied, isTrimming] = reply;
  return { mayHaveMore: Number(count) >= maxDueMessages || isTrimming === 1, hasDied: hasDied === 1 };
}
