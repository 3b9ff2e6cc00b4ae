import { type Backoff, backoffDelayMs, givenDelay } from './backoff.js';
import { type CallbackReport, unreported } from './callback.js';
import { causeOf, messageOf } from './failure.js';
import type { Outcome } from './outcome.js';
import { type RetryPolicy, ruleFor } from './retry-policy.js';

/**
 * Why a message became a dead letter. `rejected`, `expired`, `maxlen` and `delivery_limit` are RabbitMQ's words;
 * `failed` (retries used up), `undecodable` and `invalid` are ours.
 */
export type DeadLetterReason =
  | 'failed'
  | 'rejected'
  | 'undecodable'
  | 'invalid'
  | 'expired'
  | 'maxlen'
  | 'delivery_limit';

/** What is written to Redis about one delivery. */
export type Settlement =
  | { readonly kind: 'complete'; readonly result: unknown }
  | { readonly kind: 'retry'; readonly delayMs: number; readonly countsAsAttempt: boolean; readonly error?: unknown }
  | { readonly kind: 'dead-letter'; readonly reason: DeadLetterReason; readonly error: unknown }
  | { readonly kind: 'drop'; readonly reason: string }
  /** Give the message back as it was: it was not handled. */
  | { readonly kind: 'release' };

/**
 * Maps the outcome of a handler to what is written to Redis: the only place where retry policies are applied.
 *
 * @param attempt which attempt this was, from 1
 * @param random a number from 0 to 1, for jitter
 * @param report receives the errors of the policy's own functions
 */
export function settle(
  outcome: Outcome,
  attempt: number,
  policy: RetryPolicy,
  random: number,
  report: CallbackReport = unreported,
): Settlement {
  switch (outcome.kind) {
    case 'completed':
      return { kind: 'complete', result: outcome.result };
    case 'failed':
      return settleFailure(outcome.error, attempt, policy, random, report);
    case 'unreadable':
      return { kind: 'dead-letter', reason: outcome.reason, error: outcome.error };
    case 'retry-later':
      return { kind: 'retry', delayMs: givenDelay(outcome.delayMs, report), countsAsAttempt: false };
    case 'given-up':
      return { kind: 'dead-letter', reason: 'rejected', error: causeOf(outcome.error) ?? outcome.error };
    case 'dropped':
      return { kind: 'drop', reason: outcome.reason };
    case 'abandoned':
      return { kind: 'release' };
    default:
      return outcome satisfies never;
  }
}

function settleFailure(
  error: unknown,
  attempt: number,
  policy: RetryPolicy,
  random: number,
  report: CallbackReport,
): Settlement {
  const rule = ruleFor(policy, error, report)?.do;
  if (rule === 'dead-letter') return { kind: 'dead-letter', reason: 'failed', error };
  if (rule === 'drop') return { kind: 'drop', reason: messageOf(error) };
  const maxRetries = rule?.maxRetries ?? policy.maxRetries;
  if (attempt > maxRetries) return { kind: 'dead-letter', reason: 'failed', error };
  const backoff: Backoff = rule?.backoff ?? policy.backoff;
  const delayMs = backoffDelayMs(backoff, attempt, error, random, report);
  return { kind: 'retry', delayMs, countsAsAttempt: true, error };
}
