/**
 * A part of a long script. Its names are its own and end with it, but for those that it sets: Lua has no other way to know which part
 * leans on which.
 */
export interface Fragment {
  /** Names of keys, of arguments, and of what parts before it have set, that it uses. */
  readonly reads: readonly string[];
  /** Names that it gives a value, or another one, for the parts behind it. */
  readonly sets: readonly string[];
  readonly lua: string;
}

/** Lua: fragments, one behind the other. */
export function composed(fragments: readonly Fragment[]): string {
  const known = new Set<string>();
  return fragments
    .map(({ sets, lua }) => {
      const added = sets.filter((name) => !known.has(name));
      for (const name of added) known.add(name);
      const declaration = added.length === 0 ? '' : `local ${added.join(', ')}\n`;
      return `${declaration}do\n${lua.trim()}\nend`;
    })
    .join('\n');
}
