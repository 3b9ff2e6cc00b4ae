import { argNames, asInteger, asList, keyNames, type RedisClient, Script } from '@millrace/redis';
import { completedKeys, completedOver, trimCompleted } from './completed.js';
import { addTo } from './counters.js';
import { endingKeys, endMessages, followEnding, followKeys } from './endings.js';
import { type QueueKeys, waitingKeys } from './keys.js';
import { giveBackOffers, recallMs } from './offers.js';
import { checkedKept } from './setting-values.js';
import { trimmingDue, trimSlice, waitingLists } from './waiting.js';

const dueKeys = [...endingKeys, ...followKeys, 'delayed', 'parked', 'offered', ...completedKeys] as const;

/** Most bytes of frames that become dead letters in one call, or one frame of any size. */
const mostFrameBytes = 1024 * 1024;

// Moves due messages from `delayed` to the waiting lists, and ends expired ones, each at most `most` times. Recalls
// offers that were not claimed in time. Trims a slice of stale entries out of the lists, if there are too many, and a slice of completed
// messages beyond the limits.
//
// An expired message in the middle of a list leaves its entry there, stale: as a dead letter it has another name.
//
// KEYS     those of `dueKeys`, then the lists of waiting messages
//          those of `endingKeys`   of what has expired: removed, see `endMessages`
//   settings           :settings            max-bytes, dead-letter, keep-completed: read
//   state              :state               counters, recall, trim: updated
//   ended              :ended               expired messages: added, if the queue has dead letters
//   followUps          :follow-ups          see `follow`
//   delayed            :delayed             due messages: removed
//   expiry             :expiry              expired messages: removed
//   parked             :parked              read: parked messages do not expire
//   messages           :messages            frames: read; an expired one is moved to the name of its dead letter
//   ids                :ids                 an expired message's id is pointed to its dead letter
//   offered            :offered             unclaimed offers: removed
//   completed          :completed           messages beyond the limits: removed
//   completedMessages  :completed-messages  messages beyond the limits: removed
//                      :ready, :front, :kept, :ready:<p> …   due and recalled messages: added, stale entries: removed
// ARGV     most  most messages
// RETURNS  { how many were moved or ended; as many as `most` means there may be more, 1 if lines must be carried on,
//          1 if trimming of the lists or of completed messages is not finished }
// EFFECTS  see above
const dueScript = new Script(`#!lua flags=allow-oom
local call = redis.call
${keyNames(...dueKeys)}
${argNames('most')}
${addTo}
${waitingLists}
${endMessages}
${followEnding}
${giveBackOffers}
${trimmingDue}
${trimSlice}
${completedOver}
${trimCompleted}
local function die(entries, frames, now)
  local names, stored = {}, {}
  for i = 1, #entries do
    names[i] = entries[i] .. '!'
    stored[2 * i - 1], stored[2 * i] = names[i], frames[i]
  end
  call('HSET', messages, unpack(stored))
  noteIds(ids, names, frames)
  followAll(state, ended, followUps, names, 'dead-letter ' .. cjson.encode({reason = 'expired', time = now}))
end
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limitBytes, deadLetter, kept = unpack(call('HMGET', settings, 'max-bytes', 'dead-letter', 'keep-completed'))
${checkedKept}
local recall, recallAt, offers, stale, trim = unpack(call('HMGET', state, 'recall', 'recall-at', 'offers', 'stale', 'trim'))
if recallAt and (tonumber(recallAt) or 0) <= now then
  giveBackOffers(call('ZRANGE', offered, '-inf', tonumber(recall) or '+inf', 'BYSCORE', 'LIMIT', 0, 1000))
  if call('EXISTS', offered) == 1 then call('HSET', state, 'recall', offers or '+inf', 'recall-at', now + ${recallMs})
  else call('HDEL', state, 'recall', 'recall-at') end
end
local due = call('ZRANGE', delayed, '-inf', now, 'BYSCORE', 'LIMIT', 0, most)
if #due > 0 then call('ZREM', delayed, unpack(due)) end
if #due > 0 and levels() == 1 and not limitBytes then call('RPUSH', KEYS[firstList], unpack(due))
else
  for i = 1, #due do
    local frame = call('HGET', messages, due[i])
    putLast(frame and frame:byte(2) or 0, due[i])
    if limitBytes then addTo(state, 'bytes', frame and #frame or 0) end
  end
end
-- What becomes a dead letter is written three times more: 250 took 5 ms at most.
local mostOver = deadLetter and math.ceil(most / 3) or tonumber(most)
local over, isCut = call('ZRANGE', expiry, '-inf', now, 'BYSCORE', 'LIMIT', 0, mostOver), false
local hasDied = false
if #over > 0 then
  local function scores(key) return call('EXISTS', key) == 1 and call('ZMSCORE', key, unpack(over)) or {} end
  local isParked, isDelayed, isOffered = scores(parked), scores(delayed), scores(offered)
  local live, others, room, stale, bytes = {}, {}, ${mostFrameBytes}, 0, 0
  for i = 1, #over do
    local length = isParked[i] and 0 or call('HSTRLEN', messages, over[i])
    room = room - (deadLetter and length or 0)
    isCut = room < 0 and #live > 0
    if isCut then break end
    if length > 0 then
      live[#live + 1] = over[i]
      if not isDelayed[i] and not isOffered[i] then stale, bytes = stale + 1, bytes + length end
    else others[#others + 1] = over[i] end
  end
  if #others > 0 then call('ZREM', expiry, unpack(others)) end
  if #live > 0 then
    local frames = deadLetter and call('HMGET', messages, unpack(live))
    if #isDelayed > 0 then call('ZREM', delayed, unpack(live)) end
    if #isOffered > 0 then call('ZREM', offered, unpack(live)) end
    endMessages(live, now, false)
    addTo(state, 'expired', #live)
    if stale > 0 then addTo(state, 'stale', stale) end
    if limitBytes and bytes > 0 then addTo(state, 'bytes', -bytes) end
    if deadLetter then die(live, frames, now) end
    hasDied = deadLetter
  end
end
stale = call('HGET', state, 'stale')
local isTrimming = (stale or trim) and isTrimmingDue(stale, trim)
if isTrimming then trimSlice(trim) end
local isLeft = isTrimming and call('HEXISTS', state, 'trim') == 1
isLeft = kept and trimCompleted(kept, now, tonumber(most)) or isLeft
return {(isCut or #over >= mostOver) and tonumber(most) or math.max(#due, #over), hasDied and 1 or 0, isLeft and 1 or 0}
`);

/** Most messages that one call moves: about a millisecond of Redis' time. */
export const maxDueMessages = 500;

/** The result for messages that were due or had expired. */
export interface DueResult {
  /** Whether there may be more of them. */
  readonly mayHaveMore: boolean;
  /** Whether some became dead letters, which must be carried on. */
  readonly hasDied: boolean;
}

/** Makes ready what is due and ends what has expired. */
export async function moveDue(client: RedisClient, keys: QueueKeys, priorities: number): Promise<DueResult> {
  const scriptKeys = [...dueKeys.map((name) => keys[name]), ...waitingKeys(keys, priorities)];
  const reply = asList(await dueScript.run(client, scriptKeys, [maxDueMessages])).map(asInteger);
  const [count, hasDied, isTrimming] = reply;
  return { mayHaveMore: Number(count) >= maxDueMessages || isTrimming === 1, hasDied: hasDied === 1 };
}
