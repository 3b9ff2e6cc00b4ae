/** Lua: `countIn(frame)`: the number of records that a frame of version 1 claims. */
export const countIn = `
local function countIn(frame)
  local count, factor, at = 0, 1, 4
  while at < 12 do
    local byte = frame:byte(at) or 0
    count = count + byte % 128 * factor
    if byte < 128 then break end
    factor, at = factor * 128, at + 1
  end
  return count
end`;

/**
 * Lua: `appendEntry(records, meta, log, batch, now)` appends a batch to a partition's stream, and advances the log's end.
 * `log`: from `meta`: `finish`, `bytes`, `time`, `nonce` and `timestamps`; `batch`: `frame`, `count`, `timestamp` and `nonce`, as
 * given. Returns nil, or the script's reply if nothing was written: an error, or `blocked` if another program
 * wrote an entry past the log's end.
 *
 * The entry has the id `0-<end offset after it>` and the fields b = frame, t = highest timestamp of the log so far, which never
 * decreases, so that a time is found by bisection, n = the append's nonce, p = that of the append before, so that a reader sees whether
 * this entry follows what it read, a = append time; l = 1 with `timestamps: 'append'`: a is the timestamp of all its records.
 */
export const appendEntry = `
${countIn}
local function appendEntry(records, meta, log, batch, now, blocked)
  if batch.frame:byte(1) == 1 and countIn(batch.frame) ~= tonumber(batch.count) then
    return redis.error_reply('ERR the batch has ' .. countIn(batch.frame) .. ' records by its head, not ' .. batch.count)
  end
  local finish = string.format('%.0f', log.finish + batch.count)
  local t = string.format('%.0f', math.max(log.time, log.timestamps and now or batch.timestamp))
  local mark = log.timestamps and {'l', 1} or {}
  local added = redis.pcall('XADD', records, '0-' .. finish, 'b', batch.frame, 't', t, 'n', batch.nonce, 'p', log.nonce or 0, 'a', now, unpack(mark))
  if type(added) == 'table' then
    local isBlocked = added.err:find('equal or smaller', 1, true) or added.err:find('last possible ID', 1, true)
    return isBlocked and blocked or added
  end
  redis.call('HSET', meta, 'end', finish, 'bytes', string.format('%.0f', log.bytes + #batch.frame), 'time', t, 'nonce', batch.nonce)
end
`;
