import { type Outcome, outcomeOfThrow } from '@millrace/core';
import type { HandlerLabels } from '@millrace/delivery';
import type { Handled } from '../model/handled.js';
import { noProperties } from '../model/message-frame.js';
import { isRequest, replyTargetOf } from '../model/reply-target.js';
import type { Answerable, DroppedReply } from '../rpc/rpc-responder.js';
import type { HandlingContext } from './handling-context.js';
import type { HandlingOptions, MessageHandler } from './handling-options.js';
import type { HeldMessage } from './held-message.js';
import type { MessageSettlement } from './message-settlement.js';
import type { Settler } from './settler.js';

type RepliesContext = Pick<HandlingContext, 'responder' | 'failed' | 'events' | 'labels'>;

/**
 * The replies to messages that are requests: each is sent before its message is settled. A reply that may not be sent, that no requester
 * waits for any more, or that its queue does not take, is dropped and reported (`reply-dropped`); its message is settled like any other.
 */
export class Replies {
  readonly #context: RepliesContext;
  readonly #settler: Pick<Settler, 'settle'>;
  readonly #replyQueues: readonly string[];

  constructor(
    context: RepliesContext,
    settler: Pick<Settler, 'settle'>,
    { replyQueues }: Pick<HandlingOptions, 'replyQueues'>,
  ) {
    this.#context = context;
    this.#settler = settler;
    this.#replyQueues = replyQueues;
  }

  /** A handler that sends its result. Sending is part of handling, under the same deadline and signal. */
  sentBy(handle: MessageHandler): MessageHandler {
    const answer: MessageHandler = async (payload, context) => {
      const result = await handle(payload, context);
      // An attempt that was given up sends no reply: its requester gets the failure.
      if (await context.mayReply()) await this.#answer(context, context.messageId, result);
      return result;
    };
    return (payload, context) =>
      context.properties.replyTo === undefined ? handle(payload, context) : answer(payload, context);
  }

  /** Sends the result of one message of a batch. Resolves to its outcome: failed, when the reply could not be sent. */
  async ofBatch(held: HeldMessage, outcome: Outcome, batch: { readonly signal: AbortSignal }): Promise<Outcome> {
    if (outcome.kind !== 'completed') return outcome;
    try {
      const properties = held.message?.properties ?? noProperties;
      if (await held.origin.holds(held.id))
        await this.#answer({ properties, signal: batch.signal }, held.message?.id ?? held.id, outcome.result);
      return outcome;
    } catch (thrown) {
      return outcomeOfThrow(thrown);
    }
  }

  /**
   * Settles a message whose handlers have ended. A request that failed gets an error reply first, and is not retried: its
   * requester decides whether to send it again. Returns a promise when an error is sent before; it never rejects.
   */
  settle(
    held: HeldMessage,
    settlement: MessageSettlement,
    labels: HandlerLabels,
    handled?: Handled,
  ): Promise<void> | undefined {
    if (isFailedRequest(held, settlement)) return this.#fail(held, settlement.error, labels);
    this.#settler.settle(held, settlement, labels, handled);
    return undefined;
  }

  async #answer(request: Answerable, messageId: string, result: unknown): Promise<void> {
    const { replyTo } = request.properties;
    const target = replyTargetOf(replyTo, this.#replyQueues);
    if (target === undefined) return;
    const dropped = await this.#context.responder.answer(target, request, result);
    this.#report(dropped, messageId, target.kind === 'stream' ? undefined : target.queue);
  }

  #report(why: DroppedReply | undefined, messageId: string, queue?: string): void {
    if (why !== undefined)
      this.#context.events.emit('reply-dropped', { ...this.#context.labels, messageId, why, queue });
  }

  async #fail(held: HeldMessage, error: unknown, labels: HandlerLabels): Promise<void> {
    try {
      const properties = held.message?.properties ?? noProperties;
      const target = replyTargetOf(properties.replyTo);
      if (target !== undefined && (await held.origin.holds(held.id)))
        this.#report(await this.#context.responder.fail(target, properties, error), held.message?.id ?? held.id);
    } catch (failure) {
      // Without its reply the request is dropped too: its requester times out.
      this.#context.failed(failure);
    }
    this.#settler.settle(held, { kind: 'drop', reason: 'the error was sent to the requester' }, labels);
  }
}

function isFailedRequest(
  { message }: HeldMessage,
  settlement: MessageSettlement,
): settlement is Extract<MessageSettlement, { kind: 'dead-letter' | 'retry' }> {
  const hasFailed = settlement.kind === 'dead-letter' || (settlement.kind === 'retry' && settlement.countsAsAttempt);
  return hasFailed && message !== undefined && isRequest(message);
}
