/**
 * Lua: `addTo(key, field, by)`: adds to a number in a hash and returns the sum. What another program wrote in its place is replaced: a script
 * that stops there has done half of its work.
 */
export const addTo = `
local function addTo(key, field, by)
  local sum = redis.pcall('HINCRBY', key, field, by)
  if type(sum) == 'number' then return sum end
  sum = math.max(0, tonumber(by))
  redis.call('HSET', key, field, sum)
  return sum
end`;
