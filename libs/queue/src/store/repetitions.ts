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
 * The earlier result for a line, if any: it was added, or refused. That result stands, however many carriers bring it, until its source
 * reports that it cannot come any more. Then its number is below the floor: what still comes with one is refused, and a carrier that
 * nevertheless finds it with that number in its source (Redis went back to an older state there) gives it a new one.
 */
export const saidBefore = `
local function saidBefore(q, entry, number, floor)
  local known = tonumber(redis.call('ZSCORE', q.brought, 'floor') or 0)
  if tonumber(floor) > known then
    local old = redis.call('ZRANGE', q.brought, '-inf', '(' .. floor, 'BYSCORE', 'LIMIT', 0, 500)
    if #old > 0 then redis.call('ZREM', q.brought, unpack(old)) end
    redis.call('ZADD', q.brought, floor, 'floor')
  end
  redis.call('PEXPIRE', q.brought, ${silenceMs})
  if redis.call('ZSCORE', q.brought, entry) then return 'duplicate' end
  local refused = tonumber(redis.call('ZSCORE', q.brought, '!' .. entry))
  if tonumber(number) < known or refused == tonumber(number) then return 'refused' end
end`;

/**
 * Whether a message is here already: the same one, sent again on its way from another queue; or one with its id, as long as that
 * is live or remembered. Otherwise its id is stored.
 */
export const isRepetition = `
local function isRepetition(q, entry, frame)
  local id = idOf(frame)
  local isForwarded = entry:byte(1) == 126
  if isForwarded then
    if redis.call('HEXISTS', KEYS[q.key + messages], entry) == 1 then return true end
    if tonumber(redis.call('ZSCORE', KEYS[q.key + seen], entry) or 0) > now then return true end
  elseif id then
    if holderOf(KEYS[q.key + ids], KEYS[q.key + messages], id) then return true end
    -- The entry of a message without an id is its id.
    if not id:find('^[.~]') and redis.call('HEXISTS', KEYS[q.key + messages], id) == 1 then return true end
    if q.dedupWindow and tonumber(redis.call('ZSCORE', KEYS[q.key + seen], '=' .. id) or 0) > now then return true end
  end
  return false
end
local function noteIdentity(q, entry, frame, number)
  local id = idOf(frame)
  if entry:byte(1) == 126 then
    if number == '' then
      redis.call('ZADD', KEYS[q.key + seen], now + ${forwardedMs}, entry)
      keepSeen(KEYS[q.key + seen], 1, now, ${forwardedMs})
    else redis.call('ZADD', q.brought, number, entry) end
    if id then noteId(KEYS[q.key + ids], id, entry) end
  elseif id then redis.call('HSET', KEYS[q.key + ids], id, entry) end
end`;
