import type { Outcome, RetryPolicy } from '@millrace/core';
import { type DeliveryPlan, type HandlerLabels, tellLate, withMiddleware } from '@millrace/delivery';
import type { ConsumerContext } from '../consumer/consumer-context.js';
import type { ConsumerOptions, HandlerOptions, MessageHandler } from '../consumer/consumer-options.js';
import { topicMatches } from '../model/topic-pattern.js';
import type { RpcResponder } from '../rpc/rpc-responder.js';
import type { MessageContext } from './message-context.js';

/** One handler of a queue, ready to run. */
export interface MessageHandlerPlan {
  readonly name: string;
  readonly plan: DeliveryPlan<MessageContext>;
  readonly retry: RetryPolicy;
  readonly labels: HandlerLabels;
}

const maxRemembered = 1000;

/** The handlers of a consumer, and which of them are for a message. */
export class HandlerSet {
  readonly #handlers: readonly (MessageHandlerPlan & { readonly pattern: string })[];
  readonly #isSingle: boolean;
  /** Routing keys repeat: what was found for them is kept, within a bound. */
  readonly #found = new Map<string, readonly MessageHandlerPlan[]>();

  constructor(options: ConsumerOptions, host: Pick<ConsumerContext, 'responder' | 'events'>) {
    this.#isSingle = options.handlers === undefined;
    const own: HandlerOptions = { pattern: '#', handler: options.handler ?? (() => undefined) };
    this.#handlers = (options.handlers ?? [own]).map((handler) => planOf(options, handler, this.#isSingle, host));
  }

  /** Every handler whose pattern matches; none when the message is to be set aside. */
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
  options: ConsumerOptions,
  handler: HandlerOptions,
  isSingle: boolean,
  { responder, events }: Pick<ConsumerContext, 'responder' | 'events'>,
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
      handle: answering(
        withMiddleware(handler.handler, [...options.middleware, ...(handler.middleware ?? [])]),
        responder,
      ),
      validate: handler.validate ?? options.validate,
      handlerTimeoutMs: handler.handlerTimeoutMs ?? options.handlerTimeoutMs,
      abortGraceMs: handler.abortGraceMs ?? options.abortGraceMs,
      onLate: (outcome: Outcome, context: MessageContext) => tellLate(events, labels, context, outcome),
    },
    retry: handler.retry ?? options.retry,
    labels,
  };
}

/** A request has its reply before it is acknowledged; sending it is part of its handling, under the same deadline and signal. */
function answering(handle: MessageHandler, responder: RpcResponder): MessageHandler {
  const answer = async (payload: unknown, context: MessageContext): Promise<unknown> => {
    const result = await handle(payload, context);
    // An attempt that was given up sends no reply: its requester gets the failure.
    if (await context.mayReply()) await responder.answer(context, result);
    return result;
  };
  return (payload, context) =>
    context.properties.replyTo === undefined ? handle(payload, context) : answer(payload, context);
}
