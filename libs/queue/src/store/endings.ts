import { idFragments } from './identity.js';
import { settingOf } from './setting-values.js';

// How a message ends. Its entry was removed from its list or set, or is left there stale; here the message itself is removed.

/** The keys that `follow` needs, by their names. */
export const followKeys = ['state', 'ended', 'followUps'] as const;

/**
 * Lua: `followAll(state, ended, followUps, entries, line)`, and `follow` for one entry, record what the ending of messages means in other slots:
 * the carrier of `endings/` carries it there. Lines are numbered in the order of the endings. A number is the time in µs, or one more than the last:
 * so none is repeated when the queue is deleted and declared again, or a failover has lost the last ones. For up to a thousand entries.
 */
export const followEnding = `
local function followAll(state, ended, followUps, entries, line)
  local time = redis.call('TIME')
  local last = tonumber(redis.call('HGET', state, 'ended') or 0) or 0
  last = math.max(last, time[1] * 1000000 + time[2] - 1)
  local numbers, lines = {}, {}
  for i = 1, #entries do
    numbers[2 * i - 1], numbers[2 * i] = ('%.0f'):format(last + i), entries[i]
    lines[2 * i - 1], lines[2 * i] = entries[i], line
  end
  redis.call('HSET', state, 'ended', ('%.0f'):format(last + #entries))
  redis.call('ZADD', ended, unpack(numbers))
  redis.call('HSET', followUps, unpack(lines))
end
local function follow(state, ended, followUps, entry, line) followAll(state, ended, followUps, {entry}, line) end`;

/** How many frames are read in one command, of any size. */
const framesTogether = 20;

/** The keys that `endMessages` needs, by their names. */
export const endingKeys = [
  'settings',
  'messages',
  'ids',
  'seen',
  'counts',
  'handled',
  'progress',
  'cancels',
  'expiry',
  'held',
] as const;

/**
 * Lua: `endMessages(entries, now, isHandled)` frees the ids of messages and removes everything stored for them. The id of one that was
 * handled is remembered for as long as the queue's setting. The frames of plain messages are not read. For up to a thousand entries.
 */
export const endMessages = `${idFragments}${settingOf}
local function freeIds(entries, now, isHandled)
  local window = isHandled and settingOf(redis.call('HGET', settings, 'dedup-window')) or 0
  local named, free, remembered = {}, {}, {}
  for i = 1, #entries do
    local kind = entries[i]:byte(1)
    if kind == 46 or kind == 126 then named[#named + 1] = entries[i] end
  end
  for first = 1, #named, ${framesTogether} do
    local some, held, owners = {unpack(named, first, math.min(#named, first + ${framesTogether - 1}))}, {}, {}
    for n, frame in ipairs(redis.call('HMGET', messages, unpack(some))) do
      local id = frame and idOf(frame)
      if id then held[#held + 1], owners[#owners + 1] = id, some[n] end
    end
    local holders = #held > 0 and redis.call('HMGET', ids, unpack(held)) or {}
    for n, id in ipairs(held) do
      local isOnly = holders[n] == owners[n]
      if isOnly then free[#free + 1] = id end
      local wasIts = isOnly or holders[n] and freeId(ids, owners[n], id)
      if wasIts and window > 0 then
        remembered[#remembered + 1] = now + window
        remembered[#remembered + 1] = '=' .. id
      end
    end
  end
  if #free > 0 then redis.call('HDEL', ids, unpack(free)) end
  if #remembered > 0 then
    redis.call('ZADD', seen, unpack(remembered))
    keepSeen(seen, #remembered / 2, now, window)
  end
end
local function endMessages(entries, now, isHandled)
  if #entries == 0 then return end
  if redis.call('EXISTS', ids) == 1 then freeIds(entries, now, isHandled) end
  redis.call('HDEL', messages, unpack(entries))
  redis.call('ZREM', expiry, unpack(entries))
  if redis.call('EXISTS', counts, handled, progress, cancels, held) == 0 then return end
  for _, key in ipairs({counts, handled, progress, cancels}) do redis.call('HDEL', key, unpack(entries)) end
  redis.call('ZREM', held, unpack(entries))
end`;
