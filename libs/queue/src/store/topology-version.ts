import { maxVersion } from '../model/stored-settings.js';

/** Lua: a topology version as it stands in Redis; 0 for nothing, for what is no number, and for one beyond all times. */
export const versionOf = `
local function versionOf(digits)
  local version = tonumber(digits or 0) or 0
  return version <= ${maxVersion} and version or 0
end`;
