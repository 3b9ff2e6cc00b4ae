import { maxVersion } from '../model/stored-settings.js';

/** Lua: a topology version stored in Redis; 0 when there is none, when it is not a number, and when it is beyond all dates. */
export const versionOf = `
local function versionOf(digits)
  local version = tonumber(digits or 0) or 0
  return version <= ${maxVersion} and version or 0
end`;
