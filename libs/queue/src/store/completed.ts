// Completed messages that are kept. Such a message no longer belongs to the queue: its frame has left `messages`, so that no entry
// that a list still holds becomes live again, and its id is free. It is kept in `completed-messages` under its entry, as
// a MessagePack list of four strings: its number in `counts`, when its handler began, its result, its frame.
//
// The field `keep-completed` of `settings` has the number to keep, and after a space for how many ms. Without it none are kept.

/** The keys of completed messages, by their names. */
export const completedKeys = ['completed', 'completedMessages'] as const;

/**
 * Lua, `keepCompleted(entries, acks, elapsed, results, now)`: keeps messages that are about to end, in this order. `elapsed` and `results`
 * hold for each of `acks` how many ms ago its handler began, and its result; both may be missing. For up to a thousand entries.
 * Needs `idFragments`, the keys `messages`, `counts` and those of `completedKeys`.
 */
export const keepCompleted = `
local function keepCompleted(entries, acks, elapsed, results, now)
  local frames = redis.call('HMGET', messages, unpack(entries))
  local deliveries = redis.call('HMGET', counts, unpack(entries))
  local placeOf = {}
  for i = 1, elapsed and #acks or 0 do placeOf[acks[i]] = i end
  -- No two have the same time, or pages would repeat one: a fraction, for which a double has room, keeps the order in a ms. The clock may
  -- have been set back: times from before must not delay new ones.
  local last = tonumber(redis.call('ZRANGE', completed, 0, 0, 'REV', 'WITHSCORES')[2]) or 0
  local first = last >= now and last < now + 1000 and last + 1 / 1000 or now
  local fields, ends = {}, {}
  for i, entry in ipairs(entries) do
    if frames[i] then
      local place = placeOf[entry]
      local ago, result = place and tonumber(elapsed[place]), place and results[place] or ''
      local startedAt = ago and ('%.0f'):format(now - ago) or ''
      fields[#fields + 1] = entry
      fields[#fields + 1] = cmsgpack.pack({deliveries[i] or '', startedAt, result, frames[i]})
      ends[#ends + 1] = first + (i - 1) / 1000
      ends[#ends + 1] = entry
      local kind = entry:byte(1)
      local id = (kind == 46 or kind == 126) and idOf(frames[i])
      if id then
        fields[#fields + 1] = '=' .. id
        fields[#fields + 1] = entry
      end
    end
  end
  if #ends == 0 then return end
  redis.call('HSET', completedMessages, unpack(fields))
  redis.call('ZADD', completed, unpack(ends))
end`;

/**
 * Lua, where `kept` is the setting:
 * - `isCompletedOver(kept, now)`: whether more are kept than should be, or longer.
 */
export const completedOver = `
local function completedLimits(kept)
  local count, age = kept:match('^(%d+) ?(%d*)$')
  return tonumber(count), tonumber(age)
end
local function isCompletedOver(kept, now)
  local count, age = completedLimits(kept)
  if redis.call('ZCARD', completed) > count then return true end
  local first = age and redis.call('ZRANGE', completed, 0, 0, 'WITHSCORES')[2]
  return first and tonumber(first) <= now - age
end`;

/**
 * Lua, `trimCompleted(kept, now, most)`: removes the oldest messages beyond the limits, up to `most` of them, which is a thousand at
 * most. Returns whether there may be more. Needs `completedOver`, `idFragments`, the keys of `completedKeys`.
 */
export const trimCompleted = `
local function forgetCompleted(entries)
  local fields, named = {}, {}
  for i, entry in ipairs(entries) do
    fields[i] = entry
    local kind = entry:byte(1)
    if kind == 46 or kind == 126 then named[#named + 1] = entry end
  end
  local records = #named > 0 and redis.call('HMGET', completedMessages, unpack(named)) or {}
  for i, entry in ipairs(named) do
    local id = records[i] and idOf(cmsgpack.unpack(records[i])[4])
    -- A later message may have the id now.
    if id and redis.call('HGET', completedMessages, '=' .. id) == entry then fields[#fields + 1] = '=' .. id end
  end
  if #fields > 0 then redis.call('HDEL', completedMessages, unpack(fields)) end
end
local function trimCompleted(kept, now, most)
  local count, age = completedLimits(kept)
  local over, entries = math.min(most, redis.call('ZCARD', completed) - count), {}
  local popped = over > 0 and redis.call('ZPOPMIN', completed, over) or {}
  for i = 1, #popped, 2 do entries[#entries + 1] = popped[i] end
  local old = age and #entries < most
    and redis.call('ZRANGE', completed, '-inf', now - age, 'BYSCORE', 'LIMIT', 0, most - #entries) or {}
  if #old > 0 then redis.call('ZREM', completed, unpack(old)) end
  for i = 1, #old do entries[#entries + 1] = old[i] end
  forgetCompleted(entries)
  return #entries >= most
end`;
