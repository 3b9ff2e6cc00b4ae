import { shown } from './numbers.js';

/** Takes what a user's function did wrong: which function it was, and what it threw. Must not throw. */
export type CallbackReport = (callback: string, error: unknown) => void;

/** For callers that report nowhere. */
export const unreported = (): void => undefined;

/** A function of a user that must return a value now, and what is done when it does not. */
export interface Question<T> {
  /** How the user knows the function: `retry.backoff`. */
  readonly name: string;
  /** What it must return, in words: `a number of ms`. */
  readonly expects: string;
  /** Whether an answer is that. */
  readonly accepts: (answer: unknown) => answer is T;
  /** Taken in place of an error or another answer. */
  readonly otherwise: T;
}

/**
 * Calls a function of a user that must return a value now. What it throws, and an answer that is not accepted, is
 * reported, and `otherwise` is returned. A promise is never accepted, and its rejection ends no process.
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

/** The error for an answer that is not what a function of a user must return. The rejection of a promise ends no process. */
export function wrongAnswer(name: string, expects: string, answer: unknown): TypeError {
  const isPromise = isThenable(answer);
  if (isPromise) notify(() => answer, unreported);
  return new TypeError(`${name} must return ${expects}, got ${isPromise ? 'a promise' : shown(answer)}.`);
}

/** What a function of a user returned, if it is what it must return. @throws {TypeError} it is not */
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

/** Calls a listener and ignores what it returns. What it throws, and the rejection of a promise that it returns, goes to `report`. */
export function notify(call: () => unknown, report: (error: unknown) => void): void {
  try {
    const answer = call();
    if (isThenable(answer)) answer.then(undefined, report);
  } catch (error) {
    report(error);
  }
}

/** Whether a value is a list; false where that cannot be asked. */
export function isList(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * What a handler of several messages returned, once the promises in its list are settled: `messages.map(async …)` is such a
 * list. `onRejected` says what stands for one that rejected, or throws. An answer without promises is returned as it is.
 */
export function settledAnswer(answer: unknown, onRejected: (thrown: unknown) => unknown): unknown {
  if (isThenable(answer)) return Promise.resolve(answer).then((settled) => settledAnswer(settled, onRejected));
  if (!isList(answer) || !answer.some(isThenable)) return answer;
  const settled = (entry: unknown) => (isThenable(entry) ? Promise.resolve(entry).then(undefined, onRejected) : entry);
  return Promise.all(answer.map(settled));
}

/** Whether a value has a `then` to be waited for; false where that cannot be read. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  try {
    return 'then' in value && typeof value.then === 'function';
  } catch {
    return false;
  }
}
