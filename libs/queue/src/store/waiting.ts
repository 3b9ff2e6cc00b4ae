// The lists of waiting messages. Each priority level has three lists, taken in this order: `kept`, `front`, `ready`. New messages are
// pushed
// to the tail of `ready`; a message that returns to its place, to the head of the first list that exists.
//
// A message that ends while it waits leaves its entry behind: stale, without a frame. No script searches a list for it. It is skipped when
// it is met, and when there are too many a trimming pass, a slice per call, moves the live ones from `front`, then from
// `ready`, into `kept`, at most as many as there were when it began; then `kept` becomes `front`.

/** How many lists a priority level has, see `waitingKeys`. */
export const listsPerLevel = 3;

/**
 * Lua: `putLast(priority, entry)`, `putFirst(priority, entry)` and `levels()`. Needs `firstList`.
 */
export const waitingLists = `
local function levels() return (#KEYS - firstList + 1) / ${listsPerLevel} end
local function readyOf(priority)
  return firstList + ${listsPerLevel} * math.min(priority, levels() - 1)
end
local function putLast(priority, entry) redis.call('RPUSH', KEYS[readyOf(priority)], entry) end
local function putFirst(priority, entry)
  local ready = readyOf(priority)
  for list = ready + 2, ready + 1, -1 do
    if redis.call('LPUSHX', KEYS[list], entry) > 0 then return end
  end
  redis.call('LPUSH', KEYS[ready], entry)
end`;

/** Most entries that one slice of a trimming pass looks at. */
const sliceEntries = 500;
/** Fewer stale entries than this are left where they are. */
const fewStale = 1000;

/**
 * Lua: `isTrimmingDue(stale, trim)`, given these two fields of `state`. A pass moves at most four live entries for each stale one,
 * so that trimming costs no more than what made the entries stale. Needs `firstList`.
 */
export const trimmingDue = `
local function isTrimmingDue(stale, trim)
  if trim then return true end
  stale = tonumber(stale) or 0
  if stale < ${fewStale} then return false end
  local length = 0
  for list = firstList, #KEYS do length = length + redis.call('LLEN', KEYS[list]) end
  -- In empty lists nothing is stale, whatever stands in state.
  return length > 0 and 5 * stale >= length
end`;

/**
 * Lua: `trimSlice(trim)` continues a pass, or begins one. `trim` in `state` has the level it is at, and how many more entries of its
 * `ready` belong to it; `trim-from` the count of stale entries when it began, until it has met one. Needs `addTo`, `firstList`, `state`,
 * `messages`.
 */
export const trimSlice = `
local function endPass()
  local count, countBefore = unpack(redis.call('HMGET', state, 'stale', 'trim-from'))
  redis.call('HDEL', state, 'trim', 'trim-from')
  local length = 0
  for list = firstList, #KEYS do length = length + redis.call('LLEN', KEYS[list]) end
  -- There are more stale entries than entries, or the pass has met none and nothing has changed: the count is wrong, and a pass would begin
  -- again immediately, for ever.
  if count and (count == countBefore or (tonumber(count) or 0) > length) then redis.call('HSET', state, 'stale', 0) end
end
local function trimSlice(trim)
  local level, left = 0, nil
  if trim then level, left = trim:match('^(%d+) (%d+)$') end
  level, left = tonumber(level), tonumber(left)
  local ready = firstList + ${listsPerLevel} * level
  if ready > #KEYS then return endPass() end
  local front, kept = KEYS[ready + 1], KEYS[ready + 2]
  ready = KEYS[ready]
  if not trim then redis.call('HSET', state, 'trim-from', redis.call('HGET', state, 'stale') or '') end
  left = left or redis.call('LLEN', ready)
  local stale = 0
  local function keep(list, count)
    local entries = count > 0 and redis.call('LPOP', list, count) or {}
    local live = {}
    for i = 1, #entries do
      if redis.call('HEXISTS', messages, entries[i]) == 1 then live[#live + 1] = entries[i] end
    end
    if #live > 0 then redis.call('RPUSH', kept, unpack(live)) end
    stale = stale + #entries - #live
    return #entries
  end
  local seen = keep(front, ${sliceEntries})
  if seen < ${sliceEntries} then
    local moved = keep(ready, math.min(left, ${sliceEntries} - seen))
    left = moved == 0 and 0 or left - moved
  end
  if stale > 0 then
    addTo(state, 'stale', -stale)
    redis.call('HDEL', state, 'trim-from')
  end
  if left > 0 or redis.call('EXISTS', front) == 1 then
    redis.call('HSET', state, 'trim', ('%d %d'):format(level, left))
    return
  end
  if redis.call('EXISTS', kept) == 1 then redis.call('RENAME', kept, front) end
  if level + 1 < (#KEYS - firstList + 1) / ${listsPerLevel} then
    redis.call('HSET', state, 'trim', ('%d %d'):format(level + 1, redis.call('LLEN', KEYS[firstList + ${listsPerLevel} * (level + 1)])))
  else endPass() end
end`;
