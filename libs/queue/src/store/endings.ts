import { idFragments } from './identity.js';
import { countOf } from './setting-values.js';

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
export const endMessages = `${idFragments}${countOf}
local function freeIds(entries, now, isHandled)
  local window, remembered = isHandled and countOf(redis.call('HGET', settings, 'dedup-window')) or 0, 0
  for i = 1, #entries do
    local kind = entries[i]:byte(1)
    local frame = (kind == 46 or kind == 126) and redis.call('HGET', messages, entries[i])
    local id = frame and freeId(ids, entries[i], frame)
    if id and window > 0 then
      redis.call('ZADD', seen, now + window, '=' .. id)
      remembered = remembered + 1
    end
  end
  if remembered > 0 then keepSeen(seen, remembered, now, window) end
end
local function endMessages(entries, now, isHandled)
  if #entries == 0 then return end
  if redis.call('EXISTS', ids) == 1 then freeIds(entries, now, isHandled) end
  for _, key in ipairs({messages, counts, handled, progress, cancels}) do redis.call('HDEL', key, unpack(entries)) end
  for _, key in ipairs({expiry, held}) do redis.call('ZREM', key, unpack(entries)) end
end`;
