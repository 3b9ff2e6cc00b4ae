import { integerProblem, shown } from './numbers.js';
import type { OptionReader, OptionReport } from './options.js';

/** Up to `limit` per `intervalMs`, spread evenly: 15 per minute are one every four seconds. */
export interface Rate {
  /** A whole number of at least 1. */
  readonly limit: number;
  /** In ms: a whole number from 1 to 86,400,000, which is a day. */
  readonly intervalMs: number;
}

/** A rate as options give it: `maxPerSecond: n` is `rate: { limit: n, intervalMs: 1000 }`. */
export interface RateOptions {
  /** Default: no limit. */
  readonly rate?: Rate | undefined;
  /** Messages per second. @deprecated `maxPerSecond: n` is `rate: { limit: n, intervalMs: 1000 }` */
  readonly maxPerSecond?: number | undefined;
}

/** A day. */
const maxIntervalMs = 86_400_000;

/** The rate given in options; undefined means no limit. */
export function rateOf({ rate, maxPerSecond }: RateOptions): Rate | undefined {
  return rate ?? (maxPerSecond === undefined ? undefined : { limit: maxPerSecond, intervalMs: 1000 });
}

/** Messages per second; may be a fraction. */
export function perSecondOf({ limit, intervalMs }: Rate): number {
  return (limit * 1000) / intervalMs;
}

/** Reads the option `rate` of `input`. It is refused together with its alias `maxPerSecond`. */
export function rateOption(input: unknown): OptionReader<Rate | undefined> {
  return (value, report, path) => {
    if (value === undefined) return undefined;
    const problems = rateProblems(path, value, report);
    const { maxPerSecond }: RateOptions = input ?? {};
    if (maxPerSecond !== undefined) {
      problems.push(
        `${path} and maxPerSecond are both given: maxPerSecond: n is ${path}: { limit: n, intervalMs: 1000 }`,
      );
    }
    for (const problem of problems) report(problem);
    return problems.length > 0 ? undefined : Object.freeze({ ...(value as Rate) });
  };
}

function rateProblems(path: string, value: unknown, report: OptionReport): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [`${path} must be { limit, intervalMs }, got ${shown(value)}`];
  }
  const { limit, intervalMs, ...others }: Record<string, unknown> = { ...value };
  for (const key of Object.keys(others)) report(`unknown option ${path}.${key}`, 'unknown');
  return [
    integerProblem(`${path}.limit`, limit, { min: 1 }),
    integerProblem(`${path}.intervalMs`, intervalMs, { min: 1, max: maxIntervalMs }),
  ].filter((problem) => problem !== undefined);
}
