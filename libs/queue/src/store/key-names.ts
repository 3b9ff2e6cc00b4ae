// Scripts call their keys and arguments by name. Each begins with its contract:
//
//     KEYS     a line for each: its name, its key behind `<prefix>:{queue:<slot>}` (or another tag, which is said), what becomes of it
//     ARGV     names, in their order
//     RETURNS  what the function below it reads
//     EFFECTS  what is another in Redis afterwards

/**
 * Lua: names for the first keys of a script, in their order. `firstList` is the place of the key behind them, from which on the
 * lists in which messages wait follow, if the script has any.
 */
export function keyNames(...names: readonly string[]): string {
  return `local ${names.join(', ')} = unpack(KEYS, 1, ${names.length})\nlocal firstList = ${names.length + 1}`;
}

/**
 * Lua: names for the first arguments of a script, in their order. `firstItem` is the place of the argument behind them, from which
 * on follows what a call has any number of.
 */
export function argNames(...names: readonly string[]): string {
  return `local ${names.join(', ')} = unpack(ARGV, 1, ${names.length})\nlocal firstItem = ${names.length + 1}`;
}
