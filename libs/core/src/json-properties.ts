/**
 * The own properties of an object as JSON holds them, one by one: what cannot be read or written as JSON (a BigInt, a cycle, a
 * getter that throws) is left out, and so is what would make more than `maxCharacters` of them all. `replace` is given each
 * value at any depth, before its `toJSON`, and returns what is written in its place.
 */
export function jsonProperties(
  object: object,
  { maxCharacters, replace }: { readonly maxCharacters: number; readonly replace?: (value: unknown) => unknown },
): Record<string, unknown> {
  const kept: [string, unknown][] = [];
  let characters = 0;
  for (const name of namesOf(object)) {
    const json = jsonOf(object, name, replace);
    if (json === undefined || characters + name.length + json.length > maxCharacters) continue;
    characters += name.length + json.length;
    kept.push([name, JSON.parse(json)]);
  }
  return Object.fromEntries(kept);
}

/** Names of the properties of an object; none where it cannot be looked into. */
export function namesOf(object: object): readonly string[] {
  try {
    return Object.keys(object);
  } catch {
    return [];
  }
}

function jsonOf(object: object, name: string, replace?: (value: unknown) => unknown): string | undefined {
  try {
    if (replace === undefined) return JSON.stringify(Reflect.get(object, name));
    // `value` is what toJSON made of it: an HTTP client's error makes its whole request of itself.
    const replacer = function (this: Record<string, unknown>, key: string, value: unknown): unknown {
      const [given, replaced] = [this[key], replace(this[key])];
      return replaced === given ? value : replaced;
    };
    return JSON.stringify(Reflect.get(object, name), replacer);
  } catch {
    return undefined;
  }
}
