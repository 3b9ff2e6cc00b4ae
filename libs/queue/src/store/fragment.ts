/**
 * A part of a long script. Its names are local to it, except those that it sets: Lua has no other way to show which part
 * depends on which.
 */
export interface Fragment {
  /** Names that it uses: of keys, of arguments, and of what parts before it have set. */
  readonly reads: readonly string[];
  /** Names that it sets for the parts after it. */
  readonly sets: readonly string[];
  readonly lua: string;
}

/** Lua: fragments, one after the other. */
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
