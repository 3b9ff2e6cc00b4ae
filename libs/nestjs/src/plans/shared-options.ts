import { isDeepStrictEqual } from 'node:util';

/** Options of one of several handlers that share a consumer. */
interface OptionsOf<O> {
  readonly label: string;
  readonly options: O;
}

/** The consumer's options: each handler may set some, none may contradict another. Contradictions are reported. */
export function sharedOptions<O extends object>(
  [first, ...others]: readonly [OptionsOf<O>, ...OptionsOf<O>[]],
  report: (problem: string) => void,
): O {
  let merged = first.options;
  const setBy = new Map(valuesOf(first).map(([key, value]) => [key, { value, label: first.label }]));
  for (const part of others) {
    for (const [key, value] of valuesOf(part)) {
      const other = setBy.get(key);
      if (other === undefined) setBy.set(key, { value, label: part.label });
      // Functions in them (a backoff, the `when` of a rule) are equal only if they are the same function.
      else if (!isDeepStrictEqual(other.value, value)) {
        report(`${part.label}: ${key} differs from that of ${other.label}, with which it shares a consumer`);
      }
    }
    merged = { ...merged, ...part.options };
  }
  return merged;
}

function valuesOf({ options }: OptionsOf<object>): [key: string, value: unknown][] {
  return Object.entries(options);
}
