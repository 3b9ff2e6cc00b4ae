/**
 * Lua: `boundsDamage(start, finish, bytes, time)`: nil, or the script's reply when these fields of a partition's `meta` cannot be used:
 * whole numbers that count exactly, `start` not beyond `finish`. Scripts read them first, so that none stops half-way. `bytes` and `time`
 * are left out by a script that needs neither.
 */
export const boundsDamage = `
local function boundsDamage(start, finish, bytes, time)
  local first, behind, size, newest = tonumber(start), tonumber(finish), tonumber(bytes == nil and 0 or bytes), tonumber(time == nil and 0 or time)
  local isSound = first and behind and size and newest
    and first >= 0 and first <= behind and behind < 9007199254740992
    and size >= 0 and size < 9007199254740992 and newest >= 0 and newest < 9007199254740992
  if isSound then return end
  local found = {tostring(start), tostring(finish), tostring(bytes), tostring(time)}
  return redis.error_reply(('DAMAGED start, end, bytes and time must be whole numbers and start no more than end, got %s'):format(
    table.concat(found, ', '):sub(1, 200)))
end`;

/** Lua: `countOrZero(value)`: a stored number that counts something, or 0 when there is none, or something else. */
export const countOrZero = `
local function countOrZero(value)
  local count = tonumber(value)
  return count and count >= 0 and count < 9007199254740992 and count or 0
end`;
