import { Script } from '@millrace/redis';

// The one script that puts messages into queues: of one queue in a cluster, of any number of them on one server, where
// this is the only script that touches several hash tags, so that a publish reaches all its queues or none.
//
// KEYS 1 the hash that holds the topology version 2 record of this call, then for each queue: meta, messages, delayed,
//      expiry, idle, wake, seen, dying, counts, handled, offered, and its ready lists, lowest priority first
// ARGV 1 field of the version in KEYS[1] 2 version by which the messages were routed 3 how long the call is remembered, ms
//      4 number of this call 5 the messages: MessagePack list of id, frame, id, frame …, or '' for none
//      6 MessagePack list of each message's terms, 'priority;delay ms;expiration ms;deduplication id' or '', or '' when no
//      message has any, then for each queue: number of its ready lists, and '' for all messages or the numbers of its
//      messages with commas
// RETURNS { 'ok', exceptions…, dying }: for each message that did not simply enter a queue 'message queue what', what being
//         'duplicate', 'refused' or 'dead-lettered'; last the numbers of the queues where something is dying, with commas.
//         { 'stale', version }: there is another topology; { 'gone', queue number }: the queue is not there;
//         { 'late' }: a later call of this publisher was here already. In these three cases nothing was done.
// A call that is repeated is answered what it was answered the first time; it writes, so that replicas can be waited for.

/** Whether this call, and by this topology, is to be done at all. */
const checks = `#!lua
local done = redis.call('GET', KEYS[2])
if done then
  local number, answer = done:match('^(%d+) (.*)$')
  if number == ARGV[4] then
    redis.call('PEXPIRE', KEYS[2], ARGV[3])
    return answer == '' and {'ok', ''} or cjson.decode(answer)
  end
  if tonumber(number) > tonumber(ARGV[4]) then return {'late'} end
end
-- As the next command, whose way through the server is warm then.
local version = redis.call('HMGET', KEYS[1], ARGV[1])[1] or '0'
local isBehind = tonumber(version) < tonumber(ARGV[2])
if version ~= ARGV[2] and (ARGV[1] == 'version' or not isBehind) then return {'stale', version} end
local messages = ARGV[5] ~= '' and cmsgpack.unpack(ARGV[5]) or {}
local terms = ARGV[6] ~= '' and cmsgpack.unpack(ARGV[6])
local m = #messages / 2
local queues, key, arg = {}, 3, 7
while arg < #ARGV do
  local q = {key = key, levels = tonumber(ARGV[arg]), picks = ARGV[arg + 1]}
  q.meta = redis.call('HMGET', KEYS[key], 'name', 'max-length', 'max-bytes', 'overflow', 'message-ttl', 'dedup-window',
    'dead-letter', 'ghosts', 'bytes', 'paused', 'max-per-second', 'single-active', 'ranked')
  queues[#queues + 1] = q
  if not q.meta[1] then return {'gone', #queues} end
  q.isFast = not terms and q.picks == '' and q.levels == 1 and not (q.meta[2] or q.meta[3] or q.meta[5])
  key, arg = key + 11 + q.levels, arg + 2
end
if isBehind then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answer, dying = {'ok'}, {}
local function finish()
  local isPlain = #answer == 1 and #dying == 0
  answer[#answer + 1] = table.concat(dying, ',')
  redis.call('SET', KEYS[2], ARGV[4] .. ' ' .. (isPlain and '' or cjson.encode(answer)), 'PX', ARGV[3])
  return answer
end`;

/** Many plain messages into a queue without limits: two commands for a thousand of them. */
const enterAll = `
local function enterAll(q)
  for first = 1, m, 1000 do
    local last = math.min(m, first + 999)
    local ids = {}
    for i = first, last do ids[#ids + 1] = messages[2 * i - 1] end
    redis.call('HSET', KEYS[q.key + 1], unpack(messages, 2 * first - 1, 2 * last))
    redis.call('RPUSH', KEYS[q.key + 11], unpack(ids))
  end
  return m
end`;

/** Makes room in a queue from the oldest message of the lowest priority on. */
const dropHead = `
local function dropHead(q, isFull)
  for level = 0, q.levels - 1 do
    while isFull() and q.mayDrop > 0 do
      local id = redis.call('LPOP', KEYS[q.key + 11 + level])
      if not id then break end
      q.mayDrop = q.mayDrop - 1
      local frame = redis.call('HGET', KEYS[q.key + 1], id)
      if not frame then redis.call('HINCRBY', KEYS[q.key], 'ghosts', -1)
      else
        q.length, q.bytes = q.length - 1, q.bytes - #frame
        redis.call('ZREM', KEYS[q.key + 3], id)
        if q.meta[7] then
          redis.call('HSET', KEYS[q.key + 7], id, cjson.encode({reason = 'maxlen', time = now}))
          q.isDying = true
        else
          redis.call('HDEL', KEYS[q.key + 1], id)
          for key = q.key + 8, q.key + 9 do redis.call('HDEL', KEYS[key], id) end
        end
      end
    end
  end
end`;

/** An id that comes again must not bring its ghost back to life: it would be delivered twice, and before its time. */
const dropGhosts = `
local function dropGhosts(q, id)
  for level = 0, q.levels - 1 do
    local found = redis.call('LREM', KEYS[q.key + 11 + level], 0, id)
    if found > 0 then q.ghosts = redis.call('HINCRBY', KEYS[q.key], 'ghosts', -found) end
  end
end`;

/** One message into one queue. Returns what else than entering happened, if anything. */
const enter = `
local function enter(q, i)
  local id, frame = messages[2 * i - 1], messages[2 * i]
  local priority, delay, ttl, token
  if terms then priority, delay, ttl, token = terms[i]:match('^(%d*);(%d*);(%d*);(.*)$') end
  if token and token ~= '' then
    if redis.call('HEXISTS', KEYS[q.key + 1], id) == 1 then return 'duplicate' end
    if q.meta[6] and tonumber(redis.call('ZSCORE', KEYS[q.key + 6], token) or 0) > now then return 'duplicate' end
  end
  local function isFull(extra)
    return (q.maxLength and q.length + extra > q.maxLength) or (q.maxBytes and q.bytes + extra * #frame > q.maxBytes)
  end
  local what
  if q.meta[4] ~= 'drop-head' and isFull(1) then
    if q.meta[4] == 'reject-publish' then return 'refused' end
    redis.call('HSET', KEYS[q.key + 7], id, cjson.encode({reason = 'maxlen', time = now}))
    q.isDying, what = true, 'dead-lettered'
  end
  if token and token ~= '' and q.ghosts > 0 then dropGhosts(q, id) end
  redis.call('HSET', KEYS[q.key + 1], id, frame)
  if token and token ~= '' and q.meta[6] then
    redis.call('ZADD', KEYS[q.key + 6], now + q.meta[6], token)
  end
  if what then return what end
  local due = now + (tonumber(delay) or 0)
  ttl = math.min(tonumber(ttl) or math.huge, tonumber(q.meta[5]) or math.huge)
  if ttl < math.huge then redis.call('ZADD', KEYS[q.key + 3], due + ttl, id) end
  if due > now then
    redis.call('ZADD', KEYS[q.key + 2], due, id)
    q.firstDue = math.min(q.firstDue or due, due)
    return
  end
  redis.call('RPUSH', KEYS[q.key + 11 + math.min(tonumber(priority) or 0, q.levels - 1)], id)
  q.entered, q.length, q.bytes = q.entered + 1, q.length + 1, q.bytes + #frame
  if q.meta[4] == 'drop-head' then dropHead(q, function() return isFull(0) end) end
end`;

/** One queue's messages, one by one: limits, priorities, delays, expiry, repetitions. */
const enterEach = `
local function enterEach(q, number)
  q.entered, q.mayDrop, q.bytes, q.ghosts = 0, m + 100, tonumber(q.meta[9]) or 0, tonumber(q.meta[8]) or 0
  q.length = -q.ghosts
  q.maxLength, q.maxBytes = tonumber(q.meta[2]), tonumber(q.meta[3])
  if q.maxLength then
    for level = 0, q.levels - 1 do q.length = q.length + redis.call('LLEN', KEYS[q.key + 11 + level]) end
  end
  local bytesBefore = q.bytes
  local firstDelayed = redis.call('ZRANGE', KEYS[q.key + 2], 0, 0, 'WITHSCORES')[2]
  if q.meta[6] then
    local old = redis.call('ZRANGEBYSCORE', KEYS[q.key + 6], '-inf', now, 'LIMIT', 0, 2 * m)
    if #old > 0 then redis.call('ZREM', KEYS[q.key + 6], unpack(old)) end
  end
  local function one(i)
    local what = enter(q, i)
    if what then answer[#answer + 1] = i .. ' ' .. number .. ' ' .. what end
  end
  if q.picks == '' then for i = 1, m do one(i) end
  else for i in q.picks:gmatch('%d+') do one(tonumber(i)) end end
  if q.maxBytes and q.bytes ~= bytesBefore then redis.call('HINCRBY', KEYS[q.key], 'bytes', q.bytes - bytesBefore) end
  if q.isDying then dying[#dying + 1] = number end
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
  if m ~= 1 or not q.isFast or q.meta[10] or q.meta[11] or q.meta[12] or q.meta[13] or #messages[2] > 16384 then return false end
  if redis.call('EXISTS', KEYS[q.key + 11]) == 1 then return false end
  local called = redis.call('ZPOPMIN', KEYS[q.key + 4])[1]
  if not called then return false end
  redis.call('HSET', KEYS[q.key + 1], messages[1], messages[2])
  local number = redis.call('HINCRBY', KEYS[q.key], 'offers', 1)
  redis.call('ZADD', KEYS[q.key + 10], number, messages[1])
  redis.call('RPUSH', KEYS[q.key + 5], called .. '\\n' .. now .. '\\n' .. number .. '\\n' .. messages[1] .. '\\n' .. messages[2])
  return true
end
if #queues == 1 and offer(queues[1]) then return finish() end`;

const main = `
for number, q in ipairs(queues) do
  local calls = #queues > 1 and offer(q) and 0 or q.isFast and enterAll(q) or enterEach(q, number)
  if calls > 0 then
    local called = redis.call('ZPOPMIN', KEYS[q.key + 4], calls)
    for i = 1, #called, 2 do redis.call('RPUSH', KEYS[q.key + 5], called[i]) end
  end
end
return finish()`;

export const publishScript = new Script(
  [checks, offer, enterAll, dropHead, dropGhosts, enter, enterEach, main].join('\n'),
);
