import { ask, type CallbackReport, unreported } from './callback.js';
import { shown } from './numbers.js';

/**
 * How long to wait before the n-th retry (n from 1), in milliseconds.
 *
 * - a number: the same delay for every retry
 * - `fixed`, `linear` (delayMs · n), `exponential` (delayMs · factor^(n−1)), each at most `maxDelayMs`
 * - `list`: one entry per retry; the last one repeats
 * - a function of the retry's number and the error that returns ms synchronously. If it throws, or returns anything else (NaN, a
 *   promise), that is reported (`background-error`) and the retry follows in 30 s; a negative number counts as 0
 *
 * `jitter` (0–1) spreads a delay evenly over ± that share of it, so that messages that failed together are not retried together.
 */
export type Backoff =
  | number
  | { readonly kind: 'fixed'; readonly delayMs: number; readonly jitter?: number }
  | { readonly kind: 'linear'; readonly delayMs: number; readonly maxDelayMs?: number; readonly jitter?: number }
  | {
      readonly kind: 'exponential';
      readonly delayMs: number;
      /** Default 2. */
      readonly factor?: number;
      /** Default 30,000. */
      readonly maxDelayMs?: number;
      readonly jitter?: number;
    }
  | { readonly kind: 'list'; readonly delaysMs: readonly number[]; readonly jitter?: number }
  | ((retry: number, error: unknown) => number);

const defaultMaxDelayMs = 30_000;

/**
 * The delay before retry number `retry` (from 1). `random` is a number from 0 to 1. Never negative, always whole. `report` receives the
 * error of a user's backoff function.
 */
export function backoffDelayMs(
  backoff: Backoff,
  retry: number,
  error: unknown,
  random: number,
  report: CallbackReport = unreported,
): number {
  if (typeof backoff === 'number') return givenDelay(backoff, report);
  if (typeof backoff === 'function') return wholeDelay(ask(delayOfFunction, () => backoff(retry, error), report));
  const spread = (backoff.jitter ?? 0) * (random * 2 - 1);
  return wholeDelay(plainDelayMs(backoff, retry) * (1 + spread));
}

/** The problems of a backoff, as sentences; empty when it is valid. */
export function backoffProblems(backoff: unknown, path: string): string[] {
  if (typeof backoff === 'function') return [];
  if (typeof backoff === 'number') return isDelay(backoff) ? [] : [`${path} must be a delay in ms of at least 0`];
  if (typeof backoff !== 'object' || backoff === null || !('kind' in backoff)) {
    return [`${path} must be a number of ms, a function, or { kind: 'fixed' | 'linear' | 'exponential' | 'list', … }`];
  }
  const given: Record<string, unknown> = { ...backoff };
  const problems: string[] = [];
  const check = (key: string, isRight: (value: unknown) => boolean, what: string): void => {
    if (!isRight(given[key])) problems.push(`${path}.${key} must be ${what}`);
  };
  const optionally = (isRight: (value: unknown) => boolean) => (value: unknown) =>
    value === undefined || isRight(value);
  check(
    'jitter',
    optionally((value) => typeof value === 'number' && value >= 0 && value <= 1),
    'from 0 to 1',
  );
  switch (given.kind) {
    case 'list':
      check(
        'delaysMs',
        (list) => Array.isArray(list) && list.length > 0 && list.every(isDelay),
        'a list of delays in ms with at least one entry',
      );
      break;
    case 'fixed':
    case 'linear':
    case 'exponential':
      check('delayMs', isDelay, 'a delay in ms of at least 0');
      check('maxDelayMs', optionally(isDelay), 'a delay in ms of at least 0');
      check(
        'factor',
        optionally((value) => isFiniteNumber(value) && value >= 1),
        'a number of at least 1',
      );
      break;
    default:
      problems.push(`${path}.kind must be one of fixed, linear, exponential, list`);
  }
  return problems;
}

function plainDelayMs(backoff: Exclude<Backoff, number | ((...args: never[]) => number)>, retry: number): number {
  switch (backoff.kind) {
    case 'fixed':
      return backoff.delayMs;
    case 'linear':
      return Math.min(backoff.delayMs * retry, backoff.maxDelayMs ?? defaultMaxDelayMs);
    case 'exponential': {
      // A delay of 0 times infinity would be NaN.
      const times = Math.min((backoff.factor ?? 2) ** (retry - 1), Number.MAX_VALUE);
      return Math.min(backoff.delayMs * times, backoff.maxDelayMs ?? defaultMaxDelayMs);
    }
    case 'list':
      return backoff.delaysMs[Math.min(retry, backoff.delaysMs.length) - 1] ?? 0;
  }
}

function isDelay(value: unknown): boolean {
  return isFiniteNumber(value) && value >= 0;
}

const delayOfFunction = {
  name: 'retry.backoff',
  expects: 'a number of ms',
  accepts: isFiniteNumber,
  otherwise: defaultMaxDelayMs,
};

/**
 * A delay as a user gave it, of any type. Anything but a number is reported and becomes 30 s: it would cause an endless wait or a busy
 * loop, and Redis would reject it only after the message has left its consumer.
 */
export function givenDelay(delayMs: unknown, report: CallbackReport): number {
  if (isFiniteNumber(delayMs)) return wholeDelay(delayMs);
  report('RetryLater', new TypeError(`delayMs must be a number of ms, got ${shown(delayMs)}.`));
  return defaultMaxDelayMs;
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** A user's function may return anything. */
function wholeDelay(delayMs: number): number {
  return Math.max(0, Math.round(delayMs));
}
