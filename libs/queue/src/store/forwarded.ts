// How the publish script puts messages that come from another queue into a queue. Its names are those of that script.

/** Lua: `termsOf(i)`: the terms of a message. */
export const termsOf = `
local parsed = {}
local function termsOf(i)
  local found = parsed[i]
  if not found then
    local priority, delay, ttl, hasId, number, floor = terms[i]:match('^(%d*);(%d*);(%d*);(1?);?(%d*);?(%d*)$')
    found = {priority = priority, delay = delay, ttl = ttl, hasId = hasId == '1', number = number, floor = floor}
    parsed[i] = found
  end
  return found
end`;

/**
 * Lua: `enterForwarded(q, forwarded)` adds those messages of `q.some` that have not come before, if all come from another queue, as so many
 * do, and none has a delay or a time to live, to a queue without limits: a few commands for all of them. Returns whether it did. For up to
 * a thousand messages.
 */
export const enterForwarded = `
local function enterForwarded(q, forwarded)
  if forwarded < #q.some or q.levels > 1 or q.maxLength or q.maxBytes or q.messageTtl then return false end
  local names, frames, numbers, stored, n = {}, {}, {}, {}, 0
  for _, i in ipairs(q.some) do
    local its = termsOf(i)
    if its.delay ~= '' or its.ttl ~= '' then return false end
    if not q.said[i] then
      n = n + 1
      names[n], frames[n], numbers[n] = entries[2 * i - 1], entries[2 * i], its.number
      stored[2 * n - 1], stored[2 * n] = names[n], frames[n]
    end
  end
  q.entered = n
  if n == 0 then return true end
  redis.call('HSET', KEYS[q.key + messages], unpack(stored))
  noteForwarded(q, names, frames, numbers)
  redis.call('RPUSH', KEYS[q.key + lists], unpack(names))
  return true
end`;

/** Lua: `enterSome(q, number)` adds those messages of the call that are for one queue: in bulk, or one by one (`enterEach`). */
export const enterSome = `
local function enterSome(q, number)
  local some, forwarded = {}, {}
  if q.picks == '' then for i = 1, m do some[i] = i end
  else for i in q.picks:gmatch('%d+') do some[#some + 1] = tonumber(i) end end
  for _, i in ipairs(terms and some or {}) do
    if entries[2 * i - 1]:byte(1) == 126 then forwarded[#forwarded + 1] = i end
  end
  q.some, q.said = some, #forwarded > 0 and saidBefore(q, forwarded) or {}
  if not enterForwarded(q, #forwarded) then return enterEach(q, number) end
  for _, i in ipairs(some) do
    if q.said[i] then answer[#answer + 1] = i .. ' ' .. number .. ' ' .. q.said[i] end
  end
  return q.entered
end`;
