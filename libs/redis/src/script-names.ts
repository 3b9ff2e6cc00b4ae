// Scripts call their keys and arguments by name. Each begins with its contract:
//
//     KEYS     a line for each: its name, its key or what that ends with, what becomes of it
//     ARGV     names, in their order
//     RETURNS  what the function below it reads
//     EFFECTS  what is different in Redis afterwards

/**
 * Lua: names for the first keys of a script, in their order. `firstList` is the index of the first key after them: in scripts that take
 * any number of keys, those begin there.
 */
export function keyNames(...names: readonly string[]): string {
  return `local ${names.join(', ')} = unpack(KEYS, 1, ${names.length})\nlocal firstList = ${names.length + 1}`;
}

/**
 * Lua: names for the first arguments of a script, in their order. `firstItem` is the index of the first argument after them: in scripts
 * that take a list of any length, that begins there.
 */
export function argNames(...names: readonly string[]): string {
  return `local ${names.join(', ')} = unpack(ARGV, 1, ${names.length})\nlocal firstItem = ${names.length + 1}`;
}
