/**
 * The own properties of an object as JSON. A property that cannot be read or written as JSON (a BigInt, a cycle, a getter that throws) is
 * left out, and so is one with which the total would exceed `maxCharacters`. `replace` receives each value at any depth, before its
 * `toJSON` is called, and returns the value that is written instead.
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

/** The names of an object's properties; none where reading them throws. */
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
    // `value` is the result of toJSON: the error of an HTTP client returns its whole request there.
    const replacer = function (this: Record<string, unknown>, key: string, value: unknown): unknown {
      const [given, replaced] = [this[key], replace(this[key])];
      return replaced === given ? value : replaced;
    };
    return JSON.stringify(Reflect.get(object, name), replacer);
  } catch {
    return undefined;
  }
}
