import { argNames, keyNames, Script } from '@millrace/redis';
import { followEnding } from './endings.js';
import { idFragments } from './identity.js';
import { isRepetition, saidBefore } from './repetitions.js';
import { targetKeyNames } from './target-keys.js';
import { versionOf } from './topology-version.js';

// The one script that puts messages into queues: of one queue in a cluster, of any number of them on one server, where
// this is the only script that touches several hash tags, so that a publish reaches all its queues or none.
//
// KEYS     then for each queue those of `targetKeyNames`, and the lists in which messages wait; last, where the messages are lines of a
//          source, of each queue `brought`
//   declared   {topology}:meta, in a cluster :state   version of the topology: compared
//   record     {topology}:published:<publisher>:<n>, in a cluster :published:<publisher>:<n>   what this call did: read, comes
//   settings   :settings    limits, and what else is said of the queue: read
//   state      :state       offers, bytes, stale, number of the last line: kept
//   messages   :messages    frames come; of what makes room, go
//   ids        :ids         ids that publishers gave come; of what makes room, go
//   seen       :seen        ids that are remembered: read; those of what was sent on come
//   delayed    :delayed     what is delayed comes
//   expiry     :expiry      what has a time to live comes; what makes room goes
//   idle       :idle        who is woken goes
//   wake       :wake        who is woken comes
//   ended      :ended       what has no room, or makes room, comes, if it is to be a dead letter
//   followUps  :follow-ups  see `follow`
//   counts     :counts      of what makes room: removed
//   handled    :handled     the same
//   offered    :offered     what goes straight to a waiting consumer comes
//              :ready, :front, :kept, :ready:<p> …   what is to wait comes; what makes room goes
//   brought    :brought:<source>   which lines of a source came: read, comes
// ARGV     versionField  of the version in `declared`
//          routedBy      version by which the messages were routed
//          recordMs      how long the call is remembered
//          callNumber    of this call, among those of its publisher
//          packed        the messages: MessagePack list of entry, frame, entry, frame …, or '' for none
//          packedTerms   MessagePack list of each message's terms, 'priority;delay ms;expiration ms;1 if it has an id' or '', or ''
//                        when no message has any. For a line two more follow: its number, and the lowest number its source still has to carry
//          then two for each queue: number of its priority levels, and '' for all messages or the numbers of its messages with commas
// RETURNS  { 'ok', exceptions…, ended }: for each message that did not simply enter a queue 'message queue what', what being
//          'duplicate', 'refused' or 'dead-lettered'; last the numbers of the queues where lines are to be carried on, with commas.
//          { 'stale', version }: there is another topology; { 'gone', queue number }: the queue is not there;
//          { 'late' }: a later call of this publisher was here already. In these three cases nothing was done.
// EFFECTS  as said of the keys. A call that is repeated is answered what it was answered the first time; it writes, so that replicas
//          can be waited for

/** Where the keys of a queue stand, from its first one on. */
const places = `
local ${[...targetKeyNames, 'lists'].join(', ')} = ${[...targetKeyNames, 'lists'].map((_, place) => place).join(', ')}`;

/** Whether this call, and by this topology, is to be done at all. */
const checks = `#!lua
${keyNames('declared', 'record')}
${argNames('versionField', 'routedBy', 'recordMs', 'callNumber', 'packed', 'packedTerms')}
${versionOf}
local done = redis.call('GET', record)
if done then
  local number, answer = done:match('^(%d+) (.*)$')
  if number == callNumber then
    redis.call('PEXPIRE', record, recordMs)
    return answer == '' and {'ok', ''} or cjson.decode(answer)
  end
  if tonumber(number) > tonumber(callNumber) then return {'late'} end
end
-- As the next command, whose way through the server is warm then.
local version = redis.call('HMGET', declared, versionField)[1] or '0'
local isBehind = versionOf(version) < tonumber(routedBy)
if version ~= routedBy and (versionField == 'version' or not isBehind) then return {'stale', version} end
local entries = packed ~= '' and cmsgpack.unpack(packed) or {}
local terms = packedTerms ~= '' and cmsgpack.unpack(packedTerms)
local m = #entries / 2${places}
-- The keys of the first queue are where in other scripts lists follow.
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

/** Many plain messages into a queue without limits: two commands for a thousand of them. */
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

/** Makes room in a queue from the oldest message of the lowest priority on. */
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
  freeId(KEYS[q.key + ids], entry, frame)
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
        if frame then dropOne(q, entry, frame) else redis.call('HINCRBY', KEYS[q.key + state], 'stale', -1) end
      end
    end
  end
end`;

/** One message into one queue. Returns what else than entering happened, if anything. */
const enter = `
local function enter(q, i)
  local entry, frame = entries[2 * i - 1], entries[2 * i]
  local priority, delay, ttl, hasId, number, floor
  if terms then priority, delay, ttl, hasId, number, floor = terms[i]:match('^(%d*);(%d*);(%d*);(1?);?(%d*);?(%d*)$') end
  local isLine = floor and floor ~= ''
  hasId = hasId == '1' or isLine
  if hasId and isRepetition(q, entry, frame) then return 'duplicate' end
  local said = isLine and saidBefore(q, entry, number, floor)
  if said then return said end
  local function isFull(extra)
    return (q.maxLength and q.length + extra > q.maxLength) or (q.maxBytes and q.bytes + extra * #frame > q.maxBytes)
  end
  local what
  if q.overflow ~= 'drop-head' and isFull(1) then
    if q.overflow == 'reject-publish' then
      if isLine then redis.call('ZADD', q.brought, number, '!' .. entry) end
      return 'refused'
    end
    deadLetter(q, entry)
    what = 'dead-lettered'
  end
  redis.call('HSET', KEYS[q.key + messages], entry, frame)
  if hasId then noteIdentity(q, entry, frame, number) end
  if what then return what end
  local due = now + (tonumber(delay) or 0)
  ttl = math.min(tonumber(ttl) or math.huge, tonumber(q.messageTtl) or math.huge)
  if ttl < math.huge then redis.call('ZADD', KEYS[q.key + expiry], due + ttl, entry) end
  if due > now then
    redis.call('ZADD', KEYS[q.key + delayed], due, entry)
    q.firstDue = math.min(q.firstDue or due, due)
    return
  end
  redis.call('RPUSH', KEYS[q.key + lists + 3 * math.min(tonumber(priority) or 0, q.levels - 1)], entry)
  q.entered, q.length, q.bytes = q.entered + 1, q.length + 1, q.bytes + #frame
  if q.overflow == 'drop-head' then dropHead(q, function() return isFull(0) end) end
end`;

/** One queue's messages, one by one: limits, priorities, delays, expiry, repetitions. */
const enterEach = `
local function enterEach(q, number)
  local stale, bytes = unpack(redis.call('HMGET', KEYS[q.key + state], 'stale', 'bytes'))
  q.entered, q.mayDrop, q.bytes, q.length = 0, m + 100, tonumber(bytes) or 0, -(tonumber(stale) or 0)
  q.maxLength, q.maxBytes = tonumber(q.maxLength), tonumber(q.maxBytes)
  if q.maxLength then
    for list = q.key + lists, q.key + lists + 3 * q.levels - 1 do q.length = q.length + redis.call('LLEN', KEYS[list]) end
  end
  local bytesBefore = q.bytes
  local firstDelayed = redis.call('ZRANGE', KEYS[q.key + delayed], 0, 0, 'WITHSCORES')[2]
  local function one(i)
    local what = enter(q, i)
    if what then answer[#answer + 1] = i .. ' ' .. number .. ' ' .. what end
  end
  if q.picks == '' then for i = 1, m do one(i) end
  else for i in q.picks:gmatch('%d+') do one(tonumber(i)) end end
  if q.maxBytes and q.bytes ~= bytesBefore then redis.call('HINCRBY', KEYS[q.key + state], 'bytes', q.bytes - bytesBefore) end
  if q.hasEnded then following[#following + 1] = number end
  -- Someone who waits for the next delayed message must learn that another is due before it.
  local isSooner = q.firstDue and q.firstDue < (tonumber(firstDelayed) or math.huge)
  return math.max(q.entered, isSooner and 1 or 0)
end`;

/**
 * Offers one message to a consumer that waits, frame and all, which saves it a round trip. See `offers.ts`. Nothing waits
 * before it. Before all else, since a consumer waits: what is only defined below costs nothing then.
 */
const offer = `
local function offer(q)
  if m ~= 1 or not q.isFast or q.isPaused or q.perSecond or q.singleActive or #entries[2] > 16384 then return false end
  if redis.call('EXISTS', KEYS[q.key + lists], KEYS[q.key + lists + 1], KEYS[q.key + lists + 2]) > 0 then return false end
  if redis.call('HEXISTS', KEYS[q.key + state], 'ranked') == 1 then return false end
  local called = redis.call('ZPOPMIN', KEYS[q.key + idle])[1]
  if not called then return false end
  redis.call('HSET', KEYS[q.key + messages], entries[1], entries[2])
  local number = redis.call('HINCRBY', KEYS[q.key + state], 'offers', 1)
  redis.call('ZADD', KEYS[q.key + offered], number, entries[1])
  redis.call('RPUSH', KEYS[q.key + wake], called .. '\\n' .. now .. '\\n' .. number .. '\\n' .. entries[1] .. '\\n' .. entries[2])
  return true
end
if #queues == 1 and offer(queues[1]) then return finish() end`;

const main = `
for number, q in ipairs(queues) do
  local calls = #queues > 1 and offer(q) and 0 or q.isFast and enterAll(q) or enterEach(q, number)
  if calls > 0 then
    local called = redis.call('ZPOPMIN', KEYS[q.key + idle], calls)
    for i = 1, #called, 2 do redis.call('RPUSH', KEYS[q.key + wake], called[i]) end
  end
end
return finish()`;

export const publishScript = new Script(
  [checks, offer, enterAll, idFragments, followEnding, dropHead, saidBefore, isRepetition, enter, enterEach, main].join(
    '\n',
  ),
);
