/**
 * Lua: names for the first keys of a script, in their order. `firstList` is the place of the key behind them, from which on the
 * lists in which messages wait follow, if the script has any.
 */
export function keyNames(...names: readonly string[]): string {
  return `local ${names.join(', ')} = unpack(KEYS, 1, ${names.length})\nlocal firstList = ${names.length + 1}`;
}
