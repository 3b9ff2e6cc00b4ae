// Scripts call their keys and arguments by name. Each begins with its contract:
//
//     KEYS     a line per key: its name, its key or the end of it, and what the script does with it
//     ARGV     names, in order
//     RETURNS  the reply that the function below it reads
//     EFFECTS  what the script changes in Redis

/**
 * Lua that names the first keys of a script, in order. `firstList` is the index of the next key, where a list of keys of any length
 * begins.
 */
export function keyNames(...names: readonly string[]): string {
  return `local ${names.join(', ')} = unpack(KEYS, 1, ${names.length})\nlocal firstList = ${names.length + 1}`;
}

/**
 * Lua that names the first arguments of a script, in order. `firstItem` is the index of the next argument, where a list of any length
 * begins.
 */
export function argNames(...names: readonly string[]): string {
  return `local ${names.join(', ')} = unpack(ARGV, 1, ${names.length})\nlocal firstItem = ${names.length + 1}`;
}
