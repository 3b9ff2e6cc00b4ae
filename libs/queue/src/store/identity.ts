// Which message has an id. In `ids` an id leads to the entries of the messages with it: one, or several separated by spaces if dead
// letters with the same id came together. A second one is only accepted if it was forwarded from another queue.

/** How many bytes of entries are stored per id: further dead letters with it are found by their entries alone. */
const mostHolders = 2000;

/**
 * Lua:
 * - `idOf(frame)`: the id set by the publisher, or nil. It has a fixed place, see `model/message-frame.ts`.
 * - `holderOf(ids, messages, id)`: the entry of the first message with an id, or nil.
 * - `noteIds(ids, entries, frames)`: adds messages to those with their ids, where they have one. Up to a thousand.
 * - `freeId(ids, entry, id)`: removes a message from those with an id. Returns whether it was one of them.
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
local function noteIds(ids, entries, frames)
  local named, idsOf, holders, fields = {}, {}, {}, {}
  for i = 1, #entries do
    local id = idOf(frames[i])
    idsOf[i] = id or false
    if id and not holders[id] then named[#named + 1], holders[id] = id, '' end
  end
  if #named == 0 then return end
  local before = redis.call('HMGET', ids, unpack(named))
  for n, id in ipairs(named) do holders[id] = before[n] or '' end
  for i = 1, #entries do
    local others = holders[idsOf[i]]
    if others == '' then holders[idsOf[i]] = entries[i]
    elseif others and #others < ${mostHolders} then holders[idsOf[i]] = others .. ' ' .. entries[i] end
  end
  for n, id in ipairs(named) do fields[2 * n - 1], fields[2 * n] = id, holders[id] end
  redis.call('HSET', ids, unpack(fields))
end
local function freeId(ids, entry, id)
  local holders = redis.call('HGET', ids, id)
  if not holders then return false end
  if holders == entry then redis.call('HDEL', ids, id) return true end
  local others, isHolder = {}, false
  for other in holders:gmatch('%S+') do
    if other == entry then isHolder = true else others[#others + 1] = other end
  end
  if isHolder then redis.call('HSET', ids, id, table.concat(others, ' ')) end
  return isHolder
end
local function keepSeen(seen, added, now, forMs)
  local old = redis.call('ZRANGE', seen, '-inf', now, 'BYSCORE', 'LIMIT', 0, 2 * added)
  if #old > 0 then redis.call('ZREM', seen, unpack(old)) end
  if redis.call('PTTL', seen) < forMs then redis.call('PEXPIRE', seen, forMs) end
end`;
