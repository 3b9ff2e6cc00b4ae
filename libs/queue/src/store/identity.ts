// Which message has an id. In `ids` an id leads to the entries of the messages with it: one, or several separated by spaces if dead
// letters with the same id came together. A second one is only accepted if it was forwarded from another queue.

/** How many bytes of entries are stored per id: further dead letters with it are found by their entries alone. */
const mostHolders = 2000;

/**
 * Lua:
 * - `idOf(frame)`: the id set by the publisher, or nil. It has a fixed place, see `model/message-frame.ts`.
 * - `holderOf(ids, messages, id)`: the entry of the first message with an id, or nil.
 * - `noteId(ids, id, entry)`: adds a message to those with an id.
 * - `freeId(ids, entry, frame)`: removes a message from those with its id. Returns the id, if the message had it.
 * - `keepSeen(seen, added, now, forMs)`, after `added` were added: removes twice as many that have expired, and keeps the rest for long
 *   enough.
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
