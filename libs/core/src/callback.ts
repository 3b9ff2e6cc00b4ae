import { shown } from './numbers.js';

/** Receives the error of a user's function: the function's name, and what it threw. Must not throw. */
export type CallbackReport = (callback: string, error: unknown) => void;

/** For callers that report nothing. */
export const unreported = (): void => undefined;

/** A user's function that must return a value synchronously, and the fallback when it does not. */
export interface Question<T> {
  /** The function's name for the user: `retry.backoff`. */
  readonly name: string;
  /** What it must return, in words: `a number of ms`. */
  readonly expects: string;
  /** Whether a returned value is valid. */
  readonly accepts: (answer: unknown) => answer is T;
  /** The value used when the function throws or returns something else. */
  readonly otherwise: T;
}

/**
 * Calls a user's function that must return a value synchronously. If it throws or returns a value that is not accepted, that is reported
 * and `otherwise` is returned. A promise is never accepted; its rejection is caught, so that it does not end the process.
 */
export function ask<T>(question: Question<T>, call: () => unknown, report: CallbackReport): T {
  let answer: unknown;
  try {
    answer = call();
    if (question.accepts(answer)) return answer;
  } catch (error) {
    report(question.name, error);
    return question.otherwise;
  }
  report(question.name, wrongAnswer(question.name, question.expects, answer));
  return question.otherwise;
}

/**
 * The error for a wrong return value of a user's function. If the value is a promise, its rejection is caught, so that it does not end
 * the process.
 */
export function wrongAnswer(name: string, expects: string, answer: unknown): TypeError {
  const isPromise = isThenable(answer);
  if (isPromise) notify(() => answer, unreported);
  return new TypeError(`${name} must return ${expects}, got ${isPromise ? 'a promise' : shown(answer)}.`);
}

/** Returns the value that a user's function returned. @throws {TypeError} it is not what the function must return */
export function accepted<T>(
  { name, expects, accepts }: Pick<Question<T>, 'name' | 'expects' | 'accepts'>,
  answer: unknown,
): T {
  if (accepts(answer)) return answer;
  throw wrongAnswer(name, expects, answer);
}

/** For functions that must return true or false. */
export function isBoolean(answer: unknown): answer is boolean {
  return typeof answer === 'boolean';
}

/** Calls a listener and ignores its result. What it throws, or rejects with, goes to `report`. */
export function notify(call: () => unknown, report: (error: unknown) => void): void {
  try {
    const answer = call();
    if (isThenable(answer)) answer.then(undefined, report);
  } catch (error) {
    report(error);
  }
}

/** Whether a value is a list; false where checking throws. */
export function isList(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * The result of a batch handler, once the promises in its list are settled: `messages.map(async …)` returns such a list. `onRejected`
 * returns the value that replaces a rejected one, or throws. A result without promises is returned as it is.
 */
export function settledAnswer(answer: unknown, onRejected: (thrown: unknown) => unknown): unknown {
  if (isThenable(answer)) return Promise.resolve(answer).then((settled) => settledAnswer(settled, onRejected));
  if (!isList(answer) || !answer.some(isThenable)) return answer;
  const settled = (entry: unknown) => (isThenable(entry) ? Promise.resolve(entry).then(undefined, onRejected) : entry);
  return Promise.all(answer.map(settled));
}

/** Whether a value has a function `then`; false where reading it throws. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  try {
    return 'then' in value && typeof value.then === 'function';
  } catch {
    return false;
  }
}
