// How the publish script recognises a message that has come to a queue before. Its names are those of that script.

/** How long a message that is sent back is recognised when it is sent again, in ms, even if it has ended meanwhile. */
const forwardedMs = 600_000;

/**
 * How long a queue remembers the lines of a source after the last one came, in ms: a line may have arrived, and the
 * carrier have died before its source was updated, and the source's processes all be down for some days while others empty this queue.
 * For a silent source that is one or two hundred entries.
 */
const silenceMs = 14 * 24 * 3_600_000;

/**
 * Lua: `saidBefore(q, forwarded)`: the results, by index, of those of these messages that came from another queue to this one before, however
 * many carriers bring them: 'duplicate' or 'refused'. A line's result stands until its source reports that it cannot come any more. Then
 * its number is below the floor: what still comes with one is refused, and a carrier that nevertheless finds it with that number in its
 * source (Redis went back to an older state there) gives it a new one.
 */
export const saidBefore = `
local function saidOfLines(q, forwarded, names, said)
  local asked, floor = {'floor'}, 0
  for n, i in ipairs(forwarded) do
    asked[2 * n], asked[2 * n + 1] = names[n], '!' .. names[n]
    floor = math.max(floor, tonumber(termsOf(i).floor) or 0)
  end
  local scores = redis.call('ZMSCORE', q.brought, unpack(asked))
  local known = tonumber(scores[1] or 0)
  if floor > known then
    local old = redis.call('ZRANGE', q.brought, '-inf', '(' .. ('%.0f'):format(floor), 'BYSCORE', 'LIMIT', 0, 1000)
    if #old > 0 then redis.call('ZREM', q.brought, unpack(old)) end
    redis.call('ZADD', q.brought, ('%.0f'):format(floor), 'floor')
  end
  redis.call('PEXPIRE', q.brought, ${silenceMs})
  for n, i in ipairs(forwarded) do
    local number, refused = tonumber(termsOf(i).number), tonumber(scores[2 * n + 1])
    if scores[2 * n] then said[i] = 'duplicate'
    elseif not said[i] and (number < known or refused == number) then said[i] = 'refused' end
  end
end
local function saidBefore(q, forwarded)
  local names, said, isHere = {}, {}, {}
  for n, i in ipairs(forwarded) do names[n] = entries[2 * i - 1] end
  local frames = redis.call('HMGET', KEYS[q.key + messages], unpack(names))
  local hasSeen = redis.call('EXISTS', KEYS[q.key + seen]) == 1
  local ends = hasSeen and redis.call('ZMSCORE', KEYS[q.key + seen], unpack(names)) or {}
  for n, i in ipairs(forwarded) do
    if frames[n] or isHere[names[n]] or tonumber(ends[n] or 0) > now then said[i] = 'duplicate' end
    isHere[names[n]] = true
  end
  if q.brought then saidOfLines(q, forwarded, names, said) end
  return said
end`;

/** Lua: `noteForwarded(q, names, frames, numbers)` remembers messages that came from another queue; `numbers` of lines. Up to a thousand. */
export const noteForwarded = `
local function noteForwarded(q, names, frames, numbers)
  local scores = {}
  for n = 1, #names do scores[2 * n - 1], scores[2 * n] = q.brought and numbers[n] or now + ${forwardedMs}, names[n] end
  if q.brought then redis.call('ZADD', q.brought, unpack(scores))
  else
    redis.call('ZADD', KEYS[q.key + seen], unpack(scores))
    keepSeen(KEYS[q.key + seen], #names, now, ${forwardedMs})
  end
  noteIds(KEYS[q.key + ids], names, frames)
end`;

/** Lua: whether an id that a publisher set is live in the queue, or remembered. */
export const isRepetition = `
local function isRepetition(q, id)
  if holderOf(KEYS[q.key + ids], KEYS[q.key + messages], id) then return true end
  -- The entry of a message without an id is its id.
  if not id:find('^[.~]') and redis.call('HEXISTS', KEYS[q.key + messages], id) == 1 then return true end
  return q.dedupWindow and tonumber(redis.call('ZSCORE', KEYS[q.key + seen], '=' .. id) or 0) > now
end`;
