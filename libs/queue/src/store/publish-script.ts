import { argNames, keyNames, Script } from '@millrace/redis';
import { addTo } from './counters.js';
import { followEnding } from './endings.js';
import { enterForwarded, enterSome, termsOf } from './forwarded.js';
import { idFragments } from './identity.js';
import { isRepetition, noteForwarded, saidBefore } from './repetitions.js';
import { settingOf } from './setting-values.js';
import { targetKeyNames } from './target-keys.js';
import { versionOf } from './topology-version.js';

// The only script that puts messages into queues: of one queue in a cluster, of any number of them on one server, where
// this is the only script that touches several hash tags, so that a publish reaches all its queues or none.
//
// KEYS     then for each queue those of `targetKeyNames`, and the lists of waiting messages; last, if the messages are lines of a
//          source, of each queue `brought`
//   declared   {topology}:meta, in a cluster :state   version of the topology: compared
//   record     {topology}:published:<publisher>:<n>, in a cluster :published:<publisher>:<n>   the results of this call: read, written
//   settings   :settings    limits and other settings of the queue: read
//   state      :state       offers, bytes, stale, number of the last line: updated
//   messages   :messages    frames: added; of messages that are dropped for room: removed
//   ids        :ids         ids set by publishers: added; of messages that are dropped for room: removed
//   seen       :seen        remembered ids: read; entries of forwarded messages: added
//   delayed    :delayed     delayed messages: added
//   expiry     :expiry      messages with a time to live: added; those that are dropped for room: removed
//   idle       :idle        consumers that are woken: removed
//   wake       :wake        consumers that are woken: added
//   ended      :ended       messages that have no room, or are dropped for room: added, if they become dead letters
//   followUps  :follow-ups  see `follow`
//   counts     :counts      of messages that are dropped for room: removed
//   handled    :handled     of messages that are dropped for room: removed
//   offered    :offered     messages that go straight to a waiting consumer: added
//              :ready, :front, :kept, :ready:<p> …   waiting messages: added; those that are dropped for room: removed
//   brought    :brought:<source>   lines received from a source: read, written
// ARGV     versionField  of the version in `declared`
//          routedBy      version by which the messages were routed
//          recordMs      how long the call's results are kept
//          callNumber    of this call, within its publisher
//          packed        the messages: MessagePack list of entry, frame, entry, frame …, or '' for none
//          packedTerms   MessagePack list of each message's terms, 'priority;delay ms;expiration ms;1 if it has an id' or '', or ''
//                        if no message has any. For a line two more follow: its number, and the lowest number its source still has to carry
//          then two per queue: number of its priority levels, and '' for all messages or the numbers of its messages with commas
// RETURNS  { 'ok', exceptions…, ended }: for each message that was not simply added to a queue 'message queue what', where what is
//          'duplicate', 'refused' or 'dead-lettered'; last the numbers of the queues with lines to carry on, with commas.
//          { 'stale', version }: there is another topology; { 'gone', queue number }: the queue does not exist;
//          { 'late' }: a later call of this publisher was executed already. In these three cases nothing was done.
// EFFECTS  see KEYS. A repeated call gets the same reply as the first time; it writes, so that replicas
//          can be waited for

/** The positions of a queue's keys, from its first one on. */
const places = `
local ${[...targetKeyNames, 'lists'].join(', ')} = ${[...targetKeyNames, 'lists'].map((_, place) => place).join(', ')}`;

/** Whether this call should be executed, with this topology. */
const checks = `#!lua
${keyNames('declared', 'record')}
${argNames('versionField', 'routedBy', 'recordMs', 'callNumber', 'packed', 'packedTerms')}
local done = redis.call('GET', record)
if done then
  local number, answer = done:match('^(%d+) (.*)$')
  if number == callNumber then
    redis.call('PEXPIRE', record, recordMs)
    return answer == '' and {'ok', ''} or cjson.decode(answer)
  end
  if tonumber(number) > tonumber(callNumber) then return {'late'} end
end
-- Directly after the GET, while the code path in the server is warm.
local version = redis.call('HMGET', declared, versionField)[1] or '0'
local isBehind = false
if version ~= routedBy then
  ${versionOf}
  isBehind = versionField ~= 'version' and versionOf(version) < tonumber(routedBy)
  if not isBehind then return {'stale', version} end
end
local entries = packed ~= '' and cmsgpack.unpack(packed) or {}
local terms = packedTerms ~= '' and cmsgpack.unpack(packedTerms)
local m = #entries / 2${places}
-- The keys of the first queue are in the place of the lists in other scripts.
local queues, key, arg = {}, firstList, firstItem
while arg < #ARGV do
  local q = {key = key, levels = tonumber(ARGV[arg]), picks = ARGV[arg + 1]}
  local format
  format, q.maxLength, q.maxBytes, q.overflow, q.messageTtl, q.dedupWindow, q.deadLetter, q.isPaused, q.perSecond, q.singleActive =
    unpack(redis.call('HMGET', KEYS[key + settings], 'format', 'max-length', 'max-bytes', 'overflow', 'message-ttl', 'dedup-window',
      'dead-letter', 'paused', 'max-per-second', 'single-active'))
  queues[#queues + 1] = q
  if not format then return {'gone', #queues} end
  q.isFast = not terms and q.picks == '' and q.levels == 1 and not (q.maxLength or q.maxBytes or q.messageTtl)
  key, arg = key + lists + 3 * q.levels, arg + 2
end
if KEYS[key] then
  for number, q in ipairs(queues) do q.brought = KEYS[key + number - 1] end
end
if isBehind then redis.call('HSET', declared, versionField, routedBy) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answer, following = {'ok'}, {}
local function finish()
  local isPlain = #answer == 1 and #following == 0
  answer[#answer + 1] = table.concat(following, ',')
  redis.call('SET', record, callNumber .. ' ' .. (isPlain and '' or cjson.encode(answer)), 'PX', recordMs)
  return answer
end`;

/** Many plain messages for a queue without limits: two commands for a thousand of them. */
const enterAll = `
local function enterAll(q)
  for first = 1, m, 1000 do
    local last = math.min(m, first + 999)
    local names = {}
    for i = first, last do names[#names + 1] = entries[2 * i - 1] end
    redis.call('HSET', KEYS[q.key + messages], unpack(entries, 2 * first - 1, 2 * last))
    redis.call('RPUSH', KEYS[q.key + lists], unpack(names))
  end
  return m
end`;

/** Drops the oldest messages of the lowest priority to make room in a queue. */
const dropHead = `
local function deadLetter(q, entry)
  local line = 'dead-letter ' .. cjson.encode({reason = 'maxlen', time = now})
  follow(KEYS[q.key + state], KEYS[q.key + ended], KEYS[q.key + followUps], entry, line)
  q.hasEnded = true
end
local function dropOne(q, entry, frame)
  q.length, q.bytes = q.length - 1, q.bytes - #frame
  redis.call('ZREM', KEYS[q.key + expiry], entry)
  if q.deadLetter then
    deadLetter(q, entry)
    return
  end
  local id = idOf(frame)
  if id then freeId(KEYS[q.key + ids], entry, id) end
  for _, key in ipairs({messages, counts, handled}) do redis.call('HDEL', KEYS[q.key + key], entry) end
end
local function dropHead(q, isFull)
  for level = 0, q.levels - 1 do
    for list = q.key + lists + 3 * level + 2, q.key + lists + 3 * level, -1 do
      while isFull() and q.mayDrop > 0 do
        local entry = redis.call('LPOP', KEYS[list])
        if not entry then break end
        q.mayDrop = q.mayDrop - 1
        local frame = redis.call('HGET', KEYS[q.key + messages], entry)
        if frame then dropOne(q, entry, frame) else addTo(KEYS[q.key + state], 'stale', -1) end
      end
    end
  end
end`;

/** One message for one queue. Returns the exception if it was not simply added. */
const enter = `
local function enter(q, i)
  if q.said[i] then return q.said[i] end
  local entry, frame, its = entries[2 * i - 1], entries[2 * i], terms and termsOf(i) or {}
  local isForwarded = entry:byte(1) == 126
  local id = its.hasId and not isForwarded and idOf(frame)
  if id and isRepetition(q, id) then return 'duplicate' end
  local function isFull(extra)
    return (q.maxLength and q.length + extra > q.maxLength) or (q.maxBytes and q.bytes + extra * #frame > q.maxBytes)
  end
  local what
  if q.overflow ~= 'drop-head' and isFull(1) then
    -- The one of a newer Millrace, or a damaged one: the publisher still has what is refused.
    if q.overflow ~= 'dead-letter' then
      if q.brought then redis.call('ZADD', q.brought, its.number, '!' .. entry) end
      return 'refused'
    end
    deadLetter(q, entry)
    what = 'dead-lettered'
  end
  redis.call('HSET', KEYS[q.key + messages], entry, frame)
  if isForwarded then noteForwarded(q, {entry}, {frame}, {its.number})
  elseif id then redis.call('HSET', KEYS[q.key + ids], id, entry) end
  if what then return what end
  local due = now + (tonumber(its.delay) or 0)
  local ttl = math.min(tonumber(its.ttl) or math.huge, q.messageTtl or math.huge)
  if ttl < math.huge then redis.call('ZADD', KEYS[q.key + expiry], due + ttl, entry) end
  if due > now then
    redis.call('ZADD', KEYS[q.key + delayed], due, entry)
    q.firstDue = math.min(q.firstDue or due, due)
    return
  end
  redis.call('RPUSH', KEYS[q.key + lists + 3 * math.min(tonumber(its.priority) or 0, q.levels - 1)], entry)
  q.entered, q.length, q.bytes = q.entered + 1, q.length + 1, q.bytes + #frame
  if q.overflow == 'drop-head' then dropHead(q, function() return isFull(0) end) end
end`;

/** One queue's messages, one by one: limits, priorities, delays, expiry, duplicates. */
const enterEach = `${settingOf}
local function enterEach(q, number)
  local stale, bytes = unpack(redis.call('HMGET', KEYS[q.key + state], 'stale', 'bytes'))
  q.entered, q.mayDrop, q.bytes, q.length = 0, m + 100, tonumber(bytes) or 0, -(tonumber(stale) or 0)
  local countsBytes = q.maxBytes
  q.maxLength, q.maxBytes, q.messageTtl = settingOf(q.maxLength), settingOf(q.maxBytes), settingOf(q.messageTtl)
  if q.maxLength then
    for list = q.key + lists, q.key + lists + 3 * q.levels - 1 do q.length = q.length + redis.call('LLEN', KEYS[list]) end
  end
  local bytesBefore = q.bytes
  local firstDelayed = redis.call('ZRANGE', KEYS[q.key + delayed], 0, 0, 'WITHSCORES')[2]
  for _, i in ipairs(q.some) do
    local what = enter(q, i)
    if what then answer[#answer + 1] = i .. ' ' .. number .. ' ' .. what end
  end
  if countsBytes and q.bytes ~= bytesBefore then addTo(KEYS[q.key + state], 'bytes', q.bytes - bytesBefore) end
  if q.hasEnded then following[#following + 1] = number end
  -- A consumer that waits for the next delayed message must be woken if another is due before it.
  local isSooner = q.firstDue and q.firstDue < (tonumber(firstDelayed) or math.huge)
  return math.max(q.entered, isSooner and 1 or 0)
end`;

/**
 * Offers one message to a waiting consumer, including its frame, which saves it a round trip. See `offers.ts`. Nothing waits
 * before it. Comes first, since a consumer waits: definitions further down then cost nothing.
 */
const offer = `${addTo}
local function offer(q)
  if m ~= 1 or not q.isFast or q.isPaused or q.perSecond or q.singleActive or #entries[2] > 16384 then return false end
  if redis.call('EXISTS', KEYS[q.key + lists], KEYS[q.key + lists + 1], KEYS[q.key + lists + 2]) > 0 then return false end
  if redis.call('HEXISTS', KEYS[q.key + state], 'ranked') == 1 then return false end
  local called = redis.call('ZPOPMIN', KEYS[q.key + idle])[1]
  if not called then return false end
  redis.call('HSET', KEYS[q.key + messages], entries[1], entries[2])
  local number = addTo(KEYS[q.key + state], 'offers', 1)
  redis.call('ZADD', KEYS[q.key + offered], number, entries[1])
  redis.call('RPUSH', KEYS[q.key + wake], called .. '\\n' .. now .. '\\n' .. number .. '\\n' .. entries[1] .. '\\n' .. entries[2])
  return true
end
if #queues == 1 and offer(queues[1]) then return finish() end`;

const main = `
for number, q in ipairs(queues) do
  local calls = #queues > 1 and offer(q) and 0 or q.isFast and enterAll(q) or enterSome(q, number)
  if calls > 0 then
    local called = redis.call('ZPOPMIN', KEYS[q.key + idle], calls)
    for i = 1, #called, 2 do redis.call('RPUSH', KEYS[q.key + wake], called[i]) end
  end
end
return finish()`;

export const publishScript = new Script(
  [
    ...[checks, offer, enterAll, termsOf, idFragments, followEnding, dropHead],
    ...[saidBefore, noteForwarded, isRepetition, enterForwarded, enter, enterEach, enterSome, main],
  ].join('\n'),
);
