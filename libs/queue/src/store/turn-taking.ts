import type { Fragment } from './fragment.js';
import { checkedKept, checkedRate } from './setting-values.js';
import { listsPerLevel } from './waiting.js';

// The middle of a turn: what the consumer takes. Only `choose` and `take` depend on how the messages of a queue wait.

/** A turn that has met this many stale entries takes only what it has found until then. */
export const maxStaleMet = 2000;

/** The settings of the queue, and its state. */
export const look: Fragment = {
  reads: ['settings', 'state'],
  sets: [
    ...['isPaused', 'singleActive', 'perSecond', 'limitBytes', 'kept'],
    ...['active', 'tokens', 'tokensAt', 'passedAt', 'keeper', 'keeperDue', 'recallAt', 'offers', 'stale', 'trim'],
  ],
  lua: `
isPaused, singleActive, perSecond, limitBytes, kept = unpack(call('HMGET', settings,
  'paused', 'single-active', 'max-per-second', 'max-bytes', 'keep-completed'))
${checkedRate}
${checkedKept}
active, tokens, tokensAt, passedAt, keeper, keeperDue, recallAt, offers, stale, trim = unpack(call('HMGET', state,
  'active', 'tokens', 'tokens-at', 'passed-at', 'keeper', 'keeper-due', 'recall-at', 'offers', 'stale', 'trim'))`,
};

/**
 * `may`: what the queue allows the consumer. `allowed`: how many messages it may take now. `isLimited`: the queue's rate allows fewer
 * than are wanted, by its `tokens`.
 */
export const choose: Fragment = {
  reads: [
    ...['me', 'wanted', 'now', 'unknown', 'state', 'idle'],
    ...['isPaused', 'singleActive', 'active', 'perSecond', 'tokens', 'tokensAt', 'passedAt'],
  ],
  sets: ['may', 'allowed', 'isLimited', 'tokens'],
  lua: `
may, allowed, isLimited = 'ok', wanted, false
if isPaused then may, allowed = 'paused', 0 elseif singleActive == '1' and active ~= me then may, allowed = 'standby', 0 end
if allowed > 0 and perSecond then
  local burst = math.max(1, math.ceil(perSecond / 10))
  tokens = math.min(burst, (tonumber(tokens) or burst) + math.abs(now - (tonumber(tokensAt) or now)) * perSecond / 1000)
  allowed = math.min(allowed, math.floor(tokens + 1e-6))
  isLimited = allowed < wanted
end
allowed = math.max(0, allowed - unknown)
local best = allowed > 0 and call('ZRANGE', idle, 0, 0)[1]
if best and best:sub(1, 3) < me:sub(1, 3) then
  if passedAt and math.abs(now - (tonumber(passedAt) or 0)) > 100 then call('ZREM', idle, best)
  else
    may, allowed = 'passed', 0
    if not passedAt then call('HSET', state, 'passed-at', now) end
  end
end`,
};

/**
 * The only consumer takes over the offers that are still under way to it: they come before everything that waits, and need not be
 * waited for. `takenOver`: number of the last of them, or 0. `entries` and `frames` are what the turn takes, and have `bytes` in all;
 * `bytesOffered` do not count as waiting.
 */
export const takeOver: Fragment = {
  reads: ['allowed', 'maxBytes', 'messages', 'consumers', 'offered'],
  sets: ['isAlone', 'takenOver', 'entries', 'frames', 'bytes', 'bytesOffered'],
  lua: `
entries, frames, bytes = {}, {}, 0
isAlone, takenOver = call('ZCARD', consumers) == 1, 0
local coming = allowed > 0 and isAlone and call('ZRANGE', offered, 0, allowed - 1, 'WITHSCORES') or {}
for i = 1, #coming, 2 do
  local entry, frame = coming[i], call('HGET', messages, coming[i])
  if frame then
    if maxBytes and #entries > 0 and bytes + #frame > maxBytes then break end
    entries[#entries + 1], frames[#frames + 1], bytes = entry, frame, bytes + #frame
  end
  call('ZREM', offered, entry)
  takenOver = tonumber(coming[i + 1])
end
bytesOffered = bytes`,
};

/**
 * Takes waiting messages, the highest priority first; of ten messages one is of the lowest priority that waits, so that none starves.
 * `met`: how many stale entries it has met.
 */
export const take: Fragment = {
  reads: [
    ...['addTo', 'now', 'isPlain', 'allowed', 'maxBytes', 'limitBytes', 'entries', 'frames', 'bytes'],
    ...['state', 'messages', 'expiry', 'firstList'],
  ],
  sets: ['entries', 'frames', 'bytes', 'met'],
  lua: `
met = 0
local mayExpire = not isPlain and call('EXISTS', expiry) == 1
local function pop(list, count)
  local popped = count > 0 and met < ${maxStaleMet} and call('LPOP', list, count) or {}
  local found = #popped > 0 and call('HMGET', messages, unpack(popped)) or {}
  -- Expired messages are not taken. They are ended by the next call of due, as if their entries still were here, stale: immediately.
  local ends = mayExpire and #popped > 0 and call('ZMSCORE', expiry, unpack(popped)) or {}
  for i = 1, #ends do if ends[i] and tonumber(ends[i]) <= now then found[i] = false end end
  local isWhole = #entries == 0 and not maxBytes and not limitBytes
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
local topLevel = (#KEYS - firstList + 1) / ${listsPerLevel} - 1
if allowed > 0 and topLevel > 0 then
  local taken = addTo(state, 'taken', allowed)
  local fair = math.floor(taken / 10) - math.floor((taken - allowed) / 10)
  for level = 0, topLevel - 1 do
    local ready = firstList + ${listsPerLevel} * level
    for list = ready + 2, ready, -1 do while pop(KEYS[list], fair - #entries) do end end
  end
end
local function fitting()
  if not maxBytes then return 1000 end
  return #entries == 0 and 1 or math.floor((maxBytes - bytes) * #entries / bytes)
end
-- A level's keys are in the order ready, front, kept: from the last key on, this is the order of delivery.
for list = #KEYS, firstList, -1 do while pop(KEYS[list], math.min(allowed - #entries, 1000, fitting())) do end end`,
};

/**
 * Taken messages go to the consumer. `history`: what earlier deliveries have stored for them, their counts and the handlers that are
 * done; nil when nothing is stored for any message.
 */
export const hold: Fragment = {
  reads: [
    'addTo',
    ...['now', 'isPlain', 'limitBytes', 'perSecond', 'tokens', 'passedAt', 'entries', 'bytes', 'bytesOffered', 'met'],
    ...['state', 'unacked', 'counts', 'handled', 'expiry', 'held'],
  ],
  sets: ['history'],
  lua: `
if #entries > 0 then
  call('SADD', unacked, unpack(entries))
  if limitBytes then addTo(state, 'bytes', bytesOffered - bytes) end
  if perSecond then call('HSET', state, 'tokens', tostring(tokens - #entries), 'tokens-at', now) end
  if passedAt then call('HDEL', state, 'passed-at') end
  addTo(state, 'delivered', #entries)
end
if met > 0 then addTo(state, 'stale', -met) end
if not isPlain and #entries > 0 then
  local ends = call('ZMSCORE', expiry, unpack(entries))
  for i = 1, #entries do
    if ends[i] then call('ZREM', expiry, entries[i]); call('ZADD', held, ends[i], entries[i]) end
  end
  history = {call('HMGET', counts, unpack(entries)), call('HMGET', handled, unpack(entries))}
end`,
};
