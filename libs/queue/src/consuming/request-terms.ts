import type { StoredMessage } from '../model/message-frame.js';
import { isRequest } from '../model/reply-frame.js';
import type { MessageHandlerPlan } from './consumer-handlers.js';
import type { MessageSettlement } from './consumer-settling.js';
import type { HeldMessage } from './held-message.js';

/** What the requester of a failed request is to be told. */
export function errorToTell(
  { message }: HeldMessage,
  settlement: MessageSettlement,
): { readonly error?: unknown } | undefined {
  const hasFailed = settlement.kind === 'dead-letter' || (settlement.kind === 'retry' && settlement.countsAsAttempt);
  return hasFailed && message !== undefined && isRequest(message) ? settlement : undefined;
}

/** A request has no longer than its requester waits. */
export function planFor(message: StoredMessage | undefined, { plan }: MessageHandlerPlan): MessageHandlerPlan['plan'] {
  if (message === undefined || !isRequest(message)) return plan;
  const waitMs = message.properties.expirationMs ?? Number.POSITIVE_INFINITY;
  return { ...plan, handlerTimeoutMs: Math.min(waitMs, plan.handlerTimeoutMs || waitMs) };
}
