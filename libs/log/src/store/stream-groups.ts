/**
 * Lua: `groupsOf(records)` returns a list of the consumer groups of a partition's stream, each with its `name` and its `committed`
 * offset, a string of digits. Empty when there is no stream.
 */
export const groupsOf = `
local function groupsOf(records)
  local groups = {}
  if redis.call('EXISTS', records) == 0 then return groups end
  for number, group in ipairs(redis.call('XINFO', 'GROUPS', records)) do
    local fields = {}
    for index = 1, #group, 2 do fields[group[index]] = group[index + 1] end
    groups[number] = {name = fields['name'], committed = string.match(fields['last-delivered-id'], '%d+$')}
  end
  return groups
end`;
