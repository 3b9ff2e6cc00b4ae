import type { Outcome, RetryPolicy } from '@millrace/core';
import {
  type DeliveryPlan,
  type Events,
  emitLateOutcome,
  type HandlerLabels,
  withMiddleware,
} from '@millrace/delivery';
import { topicMatches } from '../model/topic-pattern.js';
import type { HandlingContext } from './handling-context.js';
import type { HandlerOptions, HandlingOptions } from './handling-options.js';
import type { MessageContext } from './message-context.js';
import type { Replies } from './replies.js';

/** One handler of a queue, ready to run. */
export interface MessageHandlerPlan {
  readonly name: string;
  readonly plan: DeliveryPlan<MessageContext>;
  readonly retry: RetryPolicy;
  readonly labels: HandlerLabels;
}

const maxRemembered = 1000;

/** The handlers of a consumer, and which of them match a message. */
export class HandlerSet {
  readonly #handlers: readonly (MessageHandlerPlan & { readonly pattern: string })[];
  readonly #isSingle: boolean;
  /** Routing keys repeat: the results are cached, up to a limit. */
  readonly #found = new Map<string, readonly MessageHandlerPlan[]>();

  constructor(options: HandlingOptions, { events }: Pick<HandlingContext, 'events'>, replies: Replies) {
    this.#isSingle = options.handlers === undefined;
    const own: HandlerOptions = { pattern: '#', handler: options.handler ?? (() => undefined) };
    this.#handlers = (options.handlers ?? [own]).map((handler) =>
      planOf(options, handler, this.#isSingle, events, replies),
    );
  }

  /** Every handler whose pattern matches; none when no handler is for the message. */
  for(routingKey: string): readonly MessageHandlerPlan[] {
    if (this.#isSingle) return this.#handlers;
    let found = this.#found.get(routingKey);
    if (found === undefined) {
      found = this.#handlers.filter(({ pattern }) => topicMatches(pattern, routingKey));
      if (this.#found.size >= maxRemembered) this.#found.clear();
      this.#found.set(routingKey, found);
    }
    return found;
  }
}

function planOf(
  options: HandlingOptions,
  handler: HandlerOptions,
  isSingle: boolean,
  events: Events,
  replies: Replies,
) {
  const consumer = options.name ?? options.queue;
  const name = handler.name ?? handler.pattern;
  const labels = Object.freeze({
    handler: isSingle ? consumer : `${consumer}:${name}`,
    source: `queue:${options.queue}`,
  });
  return {
    pattern: handler.pattern,
    name,
    plan: {
      handle: replies.sentBy(withMiddleware(handler.handler, [...options.middleware, ...(handler.middleware ?? [])])),
      validate: handler.validate ?? options.validate,
      handlerTimeoutMs: handler.handlerTimeoutMs ?? options.handlerTimeoutMs,
      abortGraceMs: handler.abortGraceMs ?? options.abortGraceMs,
      onLate: (outcome: Outcome, context: MessageContext) => emitLateOutcome(events, labels, context, outcome),
    },
    retry: handler.retry ?? options.retry,
    labels,
  };
}
