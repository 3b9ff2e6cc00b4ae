import type { Outcome } from '@millrace/core';
import type { DeliveryContext } from './delivery-context.js';
import type { HandlerLabels } from './event-labels.js';
import type { Events } from './events.js';

/** Emits that a handler ended after its attempt had been given up. */
export function emitLateOutcome(
  events: Events,
  { handler, source, group }: HandlerLabels,
  context: DeliveryContext,
  outcome: Outcome,
): void {
  const error = 'error' in outcome ? { error: outcome.error } : {};
  const { attempt } = context;
  events.emit('late-outcome', {
    handler,
    source,
    group,
    outcome: outcome.kind,
    attempt,
    subject: context.describe(),
    ...error,
  });
}
