/** How far ahead of Redis' clock a version may be, in ms: changes within one ms count upwards, and after a failover the clock may be another. */
const maxAheadMs = 3_600_000;

/**
 * Lua, `versionOf(digits)`: a topology version stored in Redis, which is a time. 0 when there is none, and when it is damaged: no number, or
 * far ahead of Redis' clock, where it would outlive all versions to come. Asks for the time: a hot path compares the digits first.
 */
export const versionOf = `
local function versionOf(digits)
  local version = tonumber(digits or 0) or 0
  if version == 0 then return 0 end
  local time = redis.call('TIME')
  return version <= time[1] * 1000 + ${maxAheadMs} and version or 0
end`;
