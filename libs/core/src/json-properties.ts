/**
 * The own properties of an object as JSON holds them, one by one: what cannot be read or written as JSON (a BigInt, a cycle, a
 * getter that throws) is left out, and so is what would make more than `maxCharacters` of them all. `skip`: names to leave out.
 */
export function jsonProperties(
  object: object,
  { maxCharacters, skip = [] }: { readonly maxCharacters: number; readonly skip?: readonly string[] },
): Record<string, unknown> {
  const kept: [string, unknown][] = [];
  let characters = 0;
  for (const name of namesOf(object)) {
    if (skip.includes(name)) continue;
    const json = jsonOf(object, name);
    if (json === undefined || characters + name.length + json.length > maxCharacters) continue;
    characters += name.length + json.length;
    kept.push([name, JSON.parse(json)]);
  }
  return Object.fromEntries(kept);
}

function namesOf(object: object): readonly string[] {
  try {
    return Object.keys(object);
  } catch {
    return [];
  }
}

function jsonOf(object: object, name: string): string | undefined {
  try {
    return JSON.stringify(Reflect.get(object, name));
  } catch {
    return undefined;
  }
}
