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

/** What becomes of one message: by core's rules, given back by its handler, or set aside because no handler is for it. */
export type MessageSettlement =
  | Settlement
  | { readonly kind: 'requeue'; readonly to: 'back' | 'head' }
  | { readonly kind: 'park' };

/** Maps what a handler did to what is to happen. `report` takes what functions of its retry policy did wrong. */
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

/** What the publisher said goes first. */
function policyFor({ message }: HeldMessage, policy: RetryPolicy): RetryPolicy {
  if (message?.properties.retry === undefined) return policy;
  const { maxRetries = policy.maxRetries, backoff = policy.backoff } = message.properties.retry;
  return { ...policy, maxRetries, backoff };
}
