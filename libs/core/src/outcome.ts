import { DeadLetter, Drop, RetryLater } from './control.js';
import { isInstance, messageOf } from './failure.js';

/** What a handler did with one delivery of a message. */
export type Outcome =
  | { readonly kind: 'completed'; readonly result: unknown }
  /** The handler threw, or overran its deadline. */
  | { readonly kind: 'failed'; readonly error: unknown }
  /** The message never reached the handler: its bytes or its payload are wrong, so a retry would fail too. */
  | { readonly kind: 'unreadable'; readonly reason: 'undecodable' | 'invalid'; readonly error: unknown }
  | { readonly kind: 'retry-later'; readonly delayMs: number }
  | { readonly kind: 'given-up'; readonly error: DeadLetter }
  | { readonly kind: 'dropped'; readonly reason: string }
  /** The delivery was taken back (shutdown, lost lease, cancelled): its result is ignored. */
  | { readonly kind: 'abandoned' };

/** The outcome of a handler that threw `error`, a value of any type. */
export function outcomeOfThrow(error: unknown): Outcome {
  if (isInstance(error, RetryLater)) return { kind: 'retry-later', delayMs: error.delayMs };
  if (isInstance(error, DeadLetter)) return { kind: 'given-up', error };
  if (isInstance(error, Drop)) return { kind: 'dropped', reason: messageOf(error) };
  return { kind: 'failed', error };
}
