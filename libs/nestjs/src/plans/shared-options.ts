import { isDeepStrictEqual } from 'node:util';

/** Options of one of several handlers that share a consumer. */
interface OptionsOf {
  readonly label: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** The consumer's options: each handler may set some, none may contradict another. Contradictions are reported. */
export function sharedOptions(parts: readonly OptionsOf[], report: (problem: string) => void): Record<string, unknown> {
  const merged = new Map<string, { readonly value: unknown; readonly label: string }>();
  for (const { label, options } of parts) {
    for (const [key, value] of Object.entries(options)) {
      const other = merged.get(key);
      if (other === undefined) merged.set(key, { value, label });
      // Functions in them (a backoff, the `when` of a rule) are equal only if they are the same function.
      else if (!isDeepStrictEqual(other.value, value)) {
        report(`${label}: ${key} differs from that of ${other.label}, with which it shares a consumer`);
      }
    }
  }
  return Object.fromEntries([...merged].map(([key, { value }]) => [key, value]));
}
