import { Script } from '@millrace/redis';
import { recallMs } from './offers.js';

// One turn of a consumer: acknowledges what was handled, takes what is next, and renews the lease. The hot path: what is rare
// stands behind one EXISTS, and verdicts other than an acknowledgement go through `settle`, sent just before in the same
// round trip. Longer than other scripts on purpose: cut in two it would cost every turn a second call.
//
// The turn's number stands in the lease's deadline, as its thousandths of a ms. A turn that finds the number of the one before it
// has what that one left. Else (that one was never carried out, or Redis went back to an older state) each message that is
// acknowledged is looked for among the consumer's own.
//
// KEYS 1 messages 2 unacked:<me> 3 consumers 4 meta 5 delayed 6 expiry 7 idle 8 wake 9 counts 10 held 11 progress
//      12 cancels 13 handled 14 offered 15… ready, highest priority first
// ARGV 1 my id 2 how many are wanted 3 the consumer whose wake-up I was given, or '' 4 ids to acknowledge, as a
//      MessagePack list, or '' 5 most bytes to take, at least one message, or '' 6 how many I know to be mine once these are
//      acknowledged and claimed 7 lease in ms 8 number of this turn, 1 to 999 9 number of the turn before it, or ''
//      10… ids that were offered to me and that I claim
// RETURNS { 'lost' } when my registration is gone: then nothing was done. Else { 'ok' | 'paused' | 'standby' | 'passed',
//         ms until there may be more for me (-1: I am woken), claimed and acknowledged ids that are not mine, Redis' time in ms,
//         how many are mine beyond those that I know, whether I am the only consumer, number of the last offer taken over or 0,
//         two MessagePack lists: ids and frames, [counts, handled] when any of these is kept }
export const turnScript = new Script(`#!lua flags=allow-oom
local me, wanted, levels = ARGV[1], tonumber(ARGV[2]), #KEYS - 14
local call = redis.call
local deadline = call('ZSCORE', KEYS[3], me)
if not deadline then return {'lost'} end
local isNext = ('%.0f'):format(deadline % 1 * 1000) == ARGV[9]
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
call('ZADD', KEYS[3], now + ARGV[7] + ARGV[8] / 1000, me)
local rare = call('EXISTS', KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13], KEYS[6]) > 0
local notMine, mine = {}, {}
for i = 10, #ARGV do
  if call('ZREM', KEYS[14], ARGV[i]) == 1 then
    call('SADD', KEYS[2], ARGV[i])
    call('HINCRBY', KEYS[4], 'delivered', 1)
  elseif call('SISMEMBER', KEYS[2], ARGV[i]) == 0 then notMine[#notMine + 1] = ARGV[i] end
end
local acks = ARGV[4] ~= '' and cmsgpack.unpack(ARGV[4]) or {}
isNext = isNext and #notMine == 0
if isNext then mine = acks
elseif #acks > 0 then
  local is = call('SMISMEMBER', KEYS[2], unpack(acks))
  for i = 1, #is do
    if is[i] == 1 then mine[#mine + 1] = acks[i] else notMine[#notMine + 1] = acks[i] end
  end
end
local removed = #mine > 0 and call('SREM', KEYS[2], unpack(mine))
-- Somebody else's hand was here? What is perhaps another's is not deleted.
if isNext and removed and removed < #mine then notMine, mine = mine, {} end
if #mine > 0 then
  call('HDEL', KEYS[1], unpack(mine))
  if rare then for i = 9, 13 do call(i == 10 and 'ZREM' or 'HDEL', KEYS[i], unpack(mine)) end end
  call('HINCRBY', KEYS[4], 'acknowledged', #mine)
end
local meta = call('HMGET', KEYS[4], 'paused', 'single-active', 'active', 'max-per-second', 'tokens', 'tokens-at',
  'passed-at', 'keeper', 'keeper-due', 'max-bytes', 'recall-at', 'offers')
if ARGV[3] ~= '' and ARGV[3] ~= me and call('ZSCORE', KEYS[3], ARGV[3]) then call('ZADD', KEYS[7], 0, ARGV[3]) end
local state, n, due, tokens, limited = 'ok', wanted, math.huge, nil, false
if meta[1] then state, n = 'paused', 0 elseif meta[2] and meta[3] ~= me then state, n = 'standby', 0 end
if n > 0 and meta[4] then
  local burst = math.max(1, math.ceil(meta[4] / 10))
  tokens = math.min(burst, (tonumber(meta[5]) or burst) + math.max(0, now - (meta[6] or now)) * meta[4] / 1000)
  n = math.min(n, math.floor(tokens + 1e-6))
  limited = n < wanted
end
local unknown = math.max(0, call('SCARD', KEYS[2]) - ARGV[6])
n = math.max(0, n - unknown)
local best = n > 0 and call('ZRANGE', KEYS[7], 0, 0)[1]
if best and best:sub(1, 3) < me:sub(1, 3) then
  if meta[7] and now - meta[7] > 100 then call('ZREM', KEYS[7], best)
  else
    state, n = 'passed', 0
    if not meta[7] then call('HSET', KEYS[4], 'passed-at', now) end
  end
end
local most = tonumber(ARGV[5])
local ids, frames, bytes, ghosts = {}, {}, 0, 0
-- What is on its way to the only consumer was there before all that waits: it is taken over here, and need not be waited for.
local isAlone, takenOver = call('ZCARD', KEYS[3]) == 1, 0
local offers = n > 0 and isAlone and call('ZRANGE', KEYS[14], 0, n - 1, 'WITHSCORES') or {}
for i = 1, #offers, 2 do
  local frame = call('HGET', KEYS[1], offers[i])
  if frame then
    if most and #ids > 0 and bytes + #frame > most then break end
    ids[#ids + 1], frames[#frames + 1], bytes = offers[i], frame, bytes + #frame
  end
  call('ZREM', KEYS[14], offers[i])
  takenOver = tonumber(offers[i + 1])
end
local offeredBytes = bytes
local function take(key, count)
  local popped = count > 0 and call('LPOP', key, count) or {}
  local found = #popped > 0 and call('HMGET', KEYS[1], unpack(popped)) or {}
  local isWhole = #ids == 0 and not most and not meta[10]
  for i = 1, #popped do isWhole = isWhole and found[i] end
  if isWhole then ids, frames = popped, found return #ids > 0 end
  local n = #ids
  for i = 1, #popped do
    if found[i] then
      n = n + 1
      ids[n], frames[n], bytes = popped[i], found[i], bytes + #found[i]
    else ghosts = ghosts + 1 end
  end
  return #popped > 0
end
if n > 0 and levels > 1 then
  local taken = call('HINCRBY', KEYS[4], 'taken', n)
  local fair = math.floor(taken / 10) - math.floor((taken - n) / 10)
  for level = #KEYS, 16, -1 do take(KEYS[level], fair - #ids) end
end
local function fitting()
  if not most then return 1000 end
  return #ids == 0 and 1 or math.floor((most - bytes) * #ids / bytes)
end
for level = 15, #KEYS do while take(KEYS[level], math.min(n - #ids, 1000, fitting())) do end end
if #ids > 0 then
  call('SADD', KEYS[2], unpack(ids))
  if meta[10] then call('HINCRBY', KEYS[4], 'bytes', offeredBytes - bytes) end
  if tokens then call('HSET', KEYS[4], 'tokens', tostring(tokens - #ids), 'tokens-at', now) end
  if meta[7] then call('HDEL', KEYS[4], 'passed-at') end
  call('HINCRBY', KEYS[4], 'delivered', #ids)
end
if ghosts > 0 then call('HINCRBY', KEYS[4], 'ghosts', -ghosts) end
-- What stopped it was the rate only if there is no token left: with one there is nothing more to take.
limited = limited and tokens - #ids < 1
if limited then due = now + math.max(1, math.ceil((1 - tokens + #ids) * 1000 / meta[4])) end
local reply = {state, -1, notMine, now, unknown, isAlone and 1 or 0, takenOver, cmsgpack.pack(ids, frames)}
if rare and #ids > 0 then
  local ends = call('ZMSCORE', KEYS[6], unpack(ids))
  for i = 1, #ids do if ends[i] then call('ZREM', KEYS[6], ids[i]); call('ZADD', KEYS[10], ends[i], ids[i]) end end
  reply[9] = {call('HMGET', KEYS[9], unpack(ids)), call('HMGET', KEYS[13], unpack(ids))}
end
for i = 5, 6 do
  local head = call('ZRANGE', KEYS[i], 0, 0, 'WITHSCORES')[2]
  if head then due = math.min(due, tonumber(head)) end
end
if call('EXISTS', KEYS[14]) == 1 then
  if not meta[11] then
    meta[11] = now + ${recallMs}
    call('HSET', KEYS[4], 'recall', meta[12] or '+inf', 'recall-at', meta[11])
  end
  due = math.min(due, meta[11])
end
local hasRoom = #ids < wanted and not (most and #ids > 0) and (state == 'ok' or state == 'passed')
if hasRoom then
  call('ZADD', KEYS[7], 0, me)
  local isKept = meta[8] and meta[8] ~= me and tonumber(meta[9]) <= due and call('ZSCORE', KEYS[7], meta[8])
  if due < math.huge and not isKept then
    call('HSET', KEYS[4], 'keeper', me, 'keeper-due', due)
    reply[2] = math.max(0, due - now)
  end
else
  call('ZREM', KEYS[7], me)
  if due <= now then reply[2] = 0 end
end
local isLeft = not hasRoom and meta[8] == me and due < math.huge
for level = 15, #KEYS do isLeft = isLeft or (not limited and call('EXISTS', KEYS[level]) == 1) end
if isLeft and state ~= 'paused' then
  local another = call('ZPOPMIN', KEYS[7])[1]
  if another then call('RPUSH', KEYS[8], another) end
end
return reply
`);
