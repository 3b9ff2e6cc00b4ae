import { OptionsError } from './errors.js';
import { isInstance } from './failure.js';

/** The problem of a `value` that must be a whole number from `min` (0) to `max`, with the value; undefined when it is one. */
export function integerProblem(
  path: string,
  value: unknown,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: { readonly min?: number; readonly max?: number } = {},
): string | undefined {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return undefined;
  return `${path} must be a whole number ${rangeOf(min, max)}, got ${shown(value)}`;
}

/** The problem of a `value` that must be a time in ms since 1970, with the value; undefined when it is one. Fractions are allowed. */
export function timestampProblem(path: string, value: unknown): string | undefined {
  if (isTimestamp(value)) return undefined;
  return `${path} must be a number of ms since 1970, got ${shown(value)}`;
}

/** Whether `value` is a time in ms since 1970. NaN is not, and neither is a Date. */
export function isTimestamp(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** A value as error messages show it: short, and in a form that shows what is wrong. Never throws. */
export function shown(value: unknown): string {
  if (isInstance(value, Date)) {
    const isValid = Number.isFinite(value.getTime());
    return isValid ? `a Date (${value.toISOString()}): give its getTime()` : 'an invalid Date';
  }
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return isInstance(value, Array) ? 'an array' : 'an object';
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** Checks a call's arguments. @throws {OptionsError} with all problems that are not undefined */
export function assertNoProblem(subject: string, ...problems: readonly (string | undefined)[]): void {
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length > 0) throw new OptionsError(subject, found);
}

function rangeOf(min: number, max: number): string {
  if (min === Number.MIN_SAFE_INTEGER && max === Number.MAX_SAFE_INTEGER) return 'that is safe';
  return max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
}
