import { type Backoff, backoffProblems } from './backoff.js';
import { ask, type CallbackReport, isThenable } from './callback.js';
import { causeOf, isInstance } from './failure.js';
import { shown } from './numbers.js';
import type { OptionReader } from './options.js';

/**
 * Which errors a rule is for: a class, or a function of the error that returns true or false. Causes (`error.cause`) are checked too. If
 * the function throws or returns a promise, that is reported (`background-error`) and the rule does not match.
 */
export type ErrorMatcher = (new (...args: never[]) => Error) | ((error: unknown) => boolean);

/** An exception from the policy for some errors. */
export interface RetryRule {
  /** Which errors it is for. */
  readonly when: ErrorMatcher;
  /** `dead-letter`: no retries. `drop`: discard the message. Else: retry with these settings. */
  readonly do: 'dead-letter' | 'drop' | { readonly maxRetries?: number; readonly backoff?: Backoff };
}

/** How often, and after how long, a failed message is handled again before it becomes a dead letter. */
export interface RetryPolicy {
  /** How many times a message is handled again after its first failure. Default 3; 0 means never. */
  readonly maxRetries: number;
  /** How long to wait before each retry. Default: exponential from 1 s to 30 s, ± 10 %. */
  readonly backoff: Backoff;
  /** The first rule that matches the error wins. */
  readonly rules: readonly RetryRule[];
}

/** Three retries, after about 1, 2 and 4 seconds, then a dead letter: never an endless loop. */
export const defaultRetryPolicy: RetryPolicy = Object.freeze<RetryPolicy>({
  maxRetries: 3,
  backoff: { kind: 'exponential', delayMs: 1000, factor: 2, maxDelayMs: 30_000, jitter: 0.1 },
  rules: [],
});

/** Reads a retry policy from options; any part may be left out. `false` means no retries. */
export function retryPolicy(defaultPolicy: RetryPolicy = defaultRetryPolicy): OptionReader<RetryPolicy> {
  return (value, report, path) => {
    if (value === undefined) return defaultPolicy;
    if (value === false) return { ...defaultPolicy, maxRetries: 0 };
    if (typeof value !== 'object' || value === null) {
      report(`${path} must be { maxRetries, backoff, rules } or false`);
      return defaultPolicy;
    }
    const policy: RetryPolicy = { ...defaultPolicy, ...value };
    for (const key of Object.keys(value)) {
      if (!Object.hasOwn(defaultRetryPolicy, key)) report(`unknown option ${path}.${key}`);
    }
    if (!isCount(policy.maxRetries)) report(`${path}.maxRetries must be a whole number of at least 0`);
    for (const problem of backoffProblems(policy.backoff, `${path}.backoff`)) report(problem);
    if (!Array.isArray(policy.rules)) {
      report(`${path}.rules must be a list of { when, do }`);
      return defaultPolicy;
    }
    for (const [index, rule] of policy.rules.entries()) checkRule(rule, report, `${path}.rules[${index}]`);
    return Object.freeze(policy);
  };
}

/** The first rule of `policy` that matches `error` or one of its causes. */
export function ruleFor(policy: RetryPolicy, error: unknown, report: CallbackReport): RetryRule | undefined {
  return policy.rules.find((rule) => matches(rule.when, error, report));
}

function matches(matcher: ErrorMatcher, error: unknown, report: CallbackReport): boolean {
  const maxCauses = 8;
  let current = error;
  for (let depth = 0; depth < maxCauses && current !== undefined && current !== null; depth++) {
    if (isErrorClass(matcher) ? isInstance(current, matcher) : wants(matcher, current, report)) return true;
    current = causeOf(current);
  }
  return false;
}

const isForError = {
  name: 'retry.rules.when',
  expects: 'true or false',
  accepts: (answer: unknown): answer is boolean => !isThenable(answer),
  otherwise: false,
};

function wants(matcher: (error: unknown) => boolean, error: unknown, report: CallbackReport): boolean {
  return ask(isForError, () => matcher(error), report);
}

function isErrorClass(matcher: ErrorMatcher): matcher is new (...args: never[]) => Error {
  return matcher === Error || matcher.prototype instanceof Error;
}

function checkRule(rule: RetryRule | undefined | null, report: (problem: string) => void, path: string): void {
  if (typeof rule !== 'object' || rule === null) {
    report(`${path} must be { when, do }, got ${shown(rule)}`);
    return;
  }
  if (typeof rule.when !== 'function') report(`${path}.when must be an error class or a function of the error`);
  if (rule.do === 'dead-letter' || rule.do === 'drop') return;
  if (typeof rule.do !== 'object' || rule.do === null) {
    report(`${path}.do must be 'dead-letter', 'drop' or { maxRetries, backoff }`);
    return;
  }
  const { maxRetries, backoff } = rule.do;
  if (maxRetries !== undefined && !isCount(maxRetries)) report(`${path}.do.maxRetries must be a whole number`);
  if (backoff !== undefined) for (const problem of backoffProblems(backoff, `${path}.do.backoff`)) report(problem);
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0;
}
