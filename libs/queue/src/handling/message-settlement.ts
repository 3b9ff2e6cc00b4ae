import {
  type CallbackReport,
  isInstance,
  type Outcome,
  type RetryPolicy,
  type Settlement,
  settle,
} from '@millrace/core';
import type { HeldMessage } from './held-message.js';
import { Requeue } from './requeue.js';

/** How one message is settled: by core's rules, given back by its handler, or set aside in its queue. */
export type MessageSettlement =
  | Settlement
  | { readonly kind: 'requeue'; readonly to: 'back' | 'head' }
  | { readonly kind: 'park'; readonly reason: 'no-handler' | 'undecodable'; readonly error?: unknown };

/** Maps a handler's outcome to a settlement. `report` takes errors of its retry policy's functions. */
export function settlementOf(
  held: HeldMessage,
  outcome: Outcome,
  retry: RetryPolicy,
  report: CallbackReport,
): Exclude<MessageSettlement, { kind: 'park' }> {
  if (held.isCancelled) return { kind: 'drop', reason: 'cancelled' };
  if (outcome.kind === 'failed' && isInstance(outcome.error, Requeue)) {
    return { kind: 'requeue', to: outcome.error.to };
  }
  return settle(outcome, held.deliveries.failures + 1, policyFor(held, retry), Math.random(), report);
}

/** The publisher's retry overrides the consumer's. */
function policyFor({ message }: HeldMessage, policy: RetryPolicy): RetryPolicy {
  if (message?.properties.retry === undefined) return policy;
  const { maxRetries = policy.maxRetries, backoff = policy.backoff } = message.properties.retry;
  return { ...policy, maxRetries, backoff };
}
