// Which message has an id. In `ids` an id leads to the entries of those that have it: one, or several with spaces between them where dead
// letters of one id came together. A second one is only let in if it was sent on from another queue.

/** So many bytes of entries are kept of one id: further dead letters with it are found by their entries alone. */
const mostHolders = 2000;

/**
 * Lua:
 * - `idOf(frame)`: the id that a publisher gave, or nil. It stands at a fixed place, see `model/message-frame.ts`.
 * - `holderOf(ids, messages, id)`: the entry of the first message that has an id, or nil.
 * - `noteId(ids, id, entry)`: a message has an id, besides those that have it.
 * - `freeId(ids, entry, frame)`: a message has its id no longer. Answers the id, if it was this one's.
 * - `keepSeen(seen, added, now, forMs)`, after so many were added to what is remembered: removes twice as many that are over, and keeps the
 *   rest for long enough.
 */
export const idFragments = `
local function idOf(frame)
  if math.floor((frame:byte(4) or 0) / 16) % 2 == 0 then return nil end
  return frame:sub(6, 5 + (frame:byte(5) or 0))
end
local function holderOf(ids, messages, id)
  for entry in (redis.call('HGET', ids, id) or ''):gmatch('%S+') do
    if redis.call('HEXISTS', messages, entry) == 1 then return entry end
  end
end
local function noteId(ids, id, entry)
  local holders = redis.call('HGET', ids, id)
  if not holders then redis.call('HSET', ids, id, entry)
  elseif #holders < ${mostHolders} then redis.call('HSET', ids, id, holders .. ' ' .. entry) end
end
local function freeId(ids, entry, frame)
  local id = idOf(frame)
  local holders = id and redis.call('HGET', ids, id)
  if not holders then return nil end
  if holders == entry then redis.call('HDEL', ids, id) return id end
  local others, isHolder = {}, false
  for other in holders:gmatch('%S+') do
    if other == entry then isHolder = true else others[#others + 1] = other end
  end
  if not isHolder then return nil end
  redis.call('HSET', ids, id, table.concat(others, ' '))
  return id
end
local function keepSeen(seen, added, now, forMs)
  local old = redis.call('ZRANGE', seen, '-inf', now, 'BYSCORE', 'LIMIT', 0, 2 * added)
  if #old > 0 then redis.call('ZREM', seen, unpack(old)) end
  if redis.call('PTTL', seen) < forMs then redis.call('PEXPIRE', seen, forMs) end
end`;
