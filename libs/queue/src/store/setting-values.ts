// The values of a queue's settings, as scripts read them in its slot, where any client may have changed them. One that is damaged counts as
// not set: so nothing is dropped, and no script stops half-way. Declaring the queue again rewrites it.

/** Lua: `settingOf(digits)`: a setting that is a whole number from 1 on, exact as a double; or nil. */
export const settingOf = `
local function settingOf(digits) return digits and #digits <= 16 and tonumber(digits:match('^[1-9]%d*$')) or nil end`;

/** Lua: leaves `perSecond` nil unless it is a number above 0; a shard's share of a rate may be a fraction. */
export const checkedRate = `
perSecond = perSecond and tonumber(perSecond)
if perSecond and not (perSecond > 0 and perSecond < math.huge) then perSecond = nil end`;

/** Lua: leaves `kept` nil unless it is what `keepCompletedField` writes. */
export const checkedKept = `kept = kept and kept:match('^[1-9]%d* ?%d*$')`;
