import { Script } from '@millrace/redis';
import { completedOver, keepCompleted, trimCompleted } from './completed.js';
import { turnKeys } from './consumer-keys.js';
import { endMessages } from './endings.js';
import { idFragments } from './identity.js';
import { keyNames } from './key-names.js';
import { recallMs } from './offers.js';
import { trimmingDue } from './waiting.js';

/** A turn that has met so many stale entries takes what it has found by then. */
const maxStaleMet = 2000;

// One turn of a consumer: acknowledges what was handled, takes what is next, and renews the lease. The hot path: what is rare
// stands behind one EXISTS, and verdicts other than an acknowledgement go through `settle`, sent just before in the same
// round trip. Longer than other scripts on purpose: cut in two it would cost every turn a second call.
//
// The turn's number stands in the lease's deadline, as its thousandths of a ms. A turn that finds the number of the one before it
// has what that one left. Else (that one was never carried out, or Redis went back to an older state) each message that is
// acknowledged is looked for among the consumer's own. When Redis went back, no turn finds the number of the one before it until the
// consumer has compared what it holds: what it took may be another's by now, and an acknowledgement of that must not stand among others.
//
// KEYS those of `turnKeys`, `unacked` being mine, then the lists in which messages wait, lowest priority first
// ARGV 1 my id 2 how many are wanted 3 the consumer whose wake-up I was given, or '' 4 entries to acknowledge, as a
//      MessagePack list, or '', and behind it, if the queue keeps completed messages, two lists: how many ms ago the handler of each
//      began, and its result 5 most bytes to take, at least one message, or '' 6 how many I know to be mine once these are
//      acknowledged and claimed 7 lease in ms 8 number of this turn, 1 to 999 9 number of the turn before it, or ''
//      10… entries that were offered to me and that I claim
// RETURNS { 'lost' } when my registration is gone: then nothing was done. Else { 'ok' | 'paused' | 'standby' | 'passed',
//         ms until there may be more for me (-1: I am woken), claimed and acknowledged entries that are not mine, Redis' time in ms,
//         how many are mine beyond those that I know (at least 1 when Redis went back: mine may be others), 1 if I am the only consumer and 2
//         more if the queue keeps completed messages, number of the last offer taken over or 0,
//         two MessagePack lists: entries and frames, [counts, handled] when any of these is kept }
export const turnScript = new Script(`#!lua flags=allow-oom
local me, wanted = ARGV[1], tonumber(ARGV[2])
local call = redis.call
${keyNames(...turnKeys)}
local deadline = call('ZSCORE', consumers, me)
if not deadline then return {'lost'} end
local isNext = ('%.0f'):format(deadline % 1 * 1000) == ARGV[9]
local hasGoneBack = not isNext and ARGV[9] ~= ''
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
call('ZADD', consumers, now + ARGV[7] + (hasGoneBack and 0 or ARGV[8] / 1000), me)
local rare = call('EXISTS', counts, held, progress, cancels, handled, expiry, ids) > 0
local notMine, mine = {}, {}
for i = 10, #ARGV do
  if call('ZREM', offered, ARGV[i]) == 1 then
    call('SADD', unacked, ARGV[i])
    call('HINCRBY', state, 'delivered', 1)
  elseif call('SISMEMBER', unacked, ARGV[i]) == 0 then notMine[#notMine + 1] = ARGV[i] end
end
local acks, elapsed, results = {}, nil, nil
if ARGV[4] ~= '' then acks, elapsed, results = cmsgpack.unpack(ARGV[4]) end
isNext = isNext and #notMine == 0
if isNext then mine = acks
elseif #acks > 0 then
  local is = call('SMISMEMBER', unacked, unpack(acks))
  for i = 1, #is do
    if is[i] == 1 then mine[#mine + 1] = acks[i] else notMine[#notMine + 1] = acks[i] end
  end
end
local removed = #mine > 0 and call('SREM', unacked, unpack(mine))
-- Fewer than there should be: what is perhaps another consumer's is not deleted.
if isNext and removed and removed < #mine then notMine, mine = mine, {} end
local isPaused, singleActive, perSecond, limitBytes, kept =
  unpack(call('HMGET', settings, 'paused', 'single-active', 'max-per-second', 'max-bytes', 'keep-completed'))
if kept and #mine > 0 then
  ${idFragments}
  ${keepCompleted}
  ${completedOver}
  ${trimCompleted}
  keepCompleted(mine, acks, elapsed, results, now)
  -- More than come, so that a limit that was lowered is reached.
  trimCompleted(kept, now, math.min(1000, 2 * #mine + 10))
end
if #mine > 0 then
  if rare then
    ${endMessages}
    endMessages(mine, now, true)
  else call('HDEL', messages, unpack(mine)) end
  call('HINCRBY', state, 'acknowledged', #mine)
end
local active, tokens, tokensAt, passedAt, keeper, keeperDue, recallAt, offers, stale, trim = unpack(call('HMGET', state,
  'active', 'tokens', 'tokens-at', 'passed-at', 'keeper', 'keeper-due', 'recall-at', 'offers', 'stale', 'trim'))
if ARGV[3] ~= '' and ARGV[3] ~= me and call('ZSCORE', consumers, ARGV[3]) then call('ZADD', idle, 0, ARGV[3]) end
local may, n, due, limited = 'ok', wanted, math.huge, false
if isPaused then may, n = 'paused', 0 elseif singleActive and active ~= me then may, n = 'standby', 0 end
if n > 0 and perSecond then
  local burst = math.max(1, math.ceil(perSecond / 10))
  tokens = math.min(burst, (tonumber(tokens) or burst) + math.max(0, now - (tokensAt or now)) * perSecond / 1000)
  n = math.min(n, math.floor(tokens + 1e-6))
  limited = n < wanted
end
local unknown = math.max(hasGoneBack and 1 or 0, call('SCARD', unacked) - ARGV[6])
n = math.max(0, n - unknown)
local best = n > 0 and call('ZRANGE', idle, 0, 0)[1]
if best and best:sub(1, 3) < me:sub(1, 3) then
  if passedAt and now - passedAt > 100 then call('ZREM', idle, best)
  else
    may, n = 'passed', 0
    if not passedAt then call('HSET', state, 'passed-at', now) end
  end
end
local most = tonumber(ARGV[5])
local entries, frames, bytes, met = {}, {}, 0, 0
-- What is on its way to the only consumer was there before all that waits: it is taken over here, and need not be waited for.
local isAlone, takenOver = call('ZCARD', consumers) == 1, 0
local coming = n > 0 and isAlone and call('ZRANGE', offered, 0, n - 1, 'WITHSCORES') or {}
for i = 1, #coming, 2 do
  local frame = call('HGET', messages, coming[i])
  if frame then
    if most and #entries > 0 and bytes + #frame > most then break end
    entries[#entries + 1], frames[#frames + 1], bytes = coming[i], frame, bytes + #frame
  end
  call('ZREM', offered, coming[i])
  takenOver = tonumber(coming[i + 1])
end
local bytesOffered = bytes
local mayExpire = rare and call('EXISTS', expiry) == 1
local function take(list, count)
  local popped = count > 0 and met < ${maxStaleMet} and call('LPOP', list, count) or {}
  local found = #popped > 0 and call('HMGET', messages, unpack(popped)) or {}
  -- What has expired is not taken. It ends as if its entry still stood here, stale, when due is called next: immediately.
  local ends = mayExpire and #popped > 0 and call('ZMSCORE', expiry, unpack(popped)) or {}
  for i = 1, #ends do if ends[i] and tonumber(ends[i]) <= now then found[i] = false end end
  local isWhole = #entries == 0 and not most and not limitBytes
  for i = 1, #popped do isWhole = isWhole and found[i] end
  if isWhole then entries, frames = popped, found return #entries > 0 end
  local n = #entries
  for i = 1, #popped do
    if found[i] then
      n = n + 1
      entries[n], frames[n], bytes = popped[i], found[i], bytes + #found[i]
    else met = met + 1 end
  end
  return #popped > 0
end
local topLevel = (#KEYS - firstList + 1) / 3 - 1
if n > 0 and topLevel > 0 then
  local taken = call('HINCRBY', state, 'taken', n)
  local fair = math.floor(taken / 10) - math.floor((taken - n) / 10)
  for level = 0, topLevel - 1 do
    for list = firstList + 3 * level + 2, firstList + 3 * level, -1 do take(KEYS[list], fair - #entries) end
  end
end
local function fitting()
  if not most then return 1000 end
  return #entries == 0 and 1 or math.floor((most - bytes) * #entries / bytes)
end
-- A level's lists stand behind each other as ready, front, kept: from the last key on, that is the order of delivery.
for list = #KEYS, firstList, -1 do while take(KEYS[list], math.min(n - #entries, 1000, fitting())) do end end
if #entries > 0 then
  call('SADD', unacked, unpack(entries))
  if limitBytes then call('HINCRBY', state, 'bytes', bytesOffered - bytes) end
  if perSecond then call('HSET', state, 'tokens', tostring(tokens - #entries), 'tokens-at', now) end
  if passedAt then call('HDEL', state, 'passed-at') end
  call('HINCRBY', state, 'delivered', #entries)
end
if met > 0 then call('HINCRBY', state, 'stale', -met) end
-- What stopped it was the rate only if there is no token left: with one there is nothing more to take.
limited = limited and tokens - #entries < 1
if limited then due = now + math.max(1, math.ceil((1 - tokens + #entries) * 1000 / perSecond)) end
local reply = {may, -1, notMine, now, unknown, (isAlone and 1 or 0) + (kept and 2 or 0), takenOver, cmsgpack.pack(entries, frames)}
if rare and #entries > 0 then
  local ends = call('ZMSCORE', expiry, unpack(entries))
  for i = 1, #entries do
    if ends[i] then call('ZREM', expiry, entries[i]); call('ZADD', held, ends[i], entries[i]) end
  end
  reply[9] = {call('HMGET', counts, unpack(entries)), call('HMGET', handled, unpack(entries))}
end
for _, times in ipairs({delayed, expiry}) do
  local head = call('ZRANGE', times, 0, 0, 'WITHSCORES')[2]
  if head then due = math.min(due, tonumber(head)) end
end
if call('EXISTS', offered) == 1 then
  if not recallAt then
    recallAt = now + ${recallMs}
    call('HSET', state, 'recall', offers or '+inf', 'recall-at', recallAt)
  end
  due = math.min(due, recallAt)
end
${trimmingDue}
if (stale or trim) and isTrimmingDue(stale, trim) then due = now end
local hasRoom = #entries < wanted and not (most and #entries > 0) and (may == 'ok' or may == 'passed')
if hasRoom then
  call('ZADD', idle, 0, me)
  local isKept = keeper and keeper ~= me and tonumber(keeperDue) <= due and call('ZSCORE', idle, keeper)
  if due < math.huge and not isKept then
    call('HSET', state, 'keeper', me, 'keeper-due', due)
    reply[2] = math.max(0, due - now)
  end
else
  call('ZREM', idle, me)
  if due <= now then reply[2] = 0 end
end
if met >= ${maxStaleMet} then reply[2] = 0 end
local isLeft = not hasRoom and keeper == me and due < math.huge
isLeft = isLeft or not limited and call('EXISTS', unpack(KEYS, firstList)) > 0
if isLeft and may ~= 'paused' then
  local another = call('ZPOPMIN', idle)[1]
  if another then call('RPUSH', wake, another) end
end
return reply
`);
