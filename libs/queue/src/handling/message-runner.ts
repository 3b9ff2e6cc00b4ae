import type { CallbackReport, Settlement } from '@millrace/core';
import { deliver, deliverTo, type HandlerLabels } from '@millrace/delivery';
import { combineSettlements, type Handled, type HandlerSettlement, parseHandled } from '../model/handled.js';
import type { StoredMessage } from '../model/message-frame.js';
import { isRequest } from '../model/reply-target.js';
import { BatchRunner } from './batch-runner.js';
import { FrameReader } from './frame-reader.js';
import { HandledEvents } from './handled-events.js';
import { HandlerSet, type MessageHandlerPlan } from './handler-set.js';
import type { HandlingContext } from './handling-context.js';
import type { HandlingOptions } from './handling-options.js';
import type { HeldMessage } from './held-message.js';
import { MessageContext } from './message-context.js';
import { type MessageSettlement, settlementOf } from './message-settlement.js';
import { Replies } from './replies.js';
import type { Settler } from './settler.js';

export interface RunnerListener {
  /** A handler ended after `tookMs`, for this number of messages. */
  unitEnded(messages: number, tookMs: number): void;
}

/** Runs handlers for messages that a consumer holds: one handler, all of several that match, or one for a batch. */
export class MessageRunner {
  readonly #handlers: HandlerSet;
  readonly #context: HandlingContext;
  readonly #settler: Settler;
  readonly #listener: RunnerListener;
  readonly #events: HandledEvents;
  /** Reports errors of a retry policy's functions. */
  readonly #report: CallbackReport;
  readonly #frames: FrameReader;
  readonly #replies: Replies;
  readonly #batches: BatchRunner | undefined;

  constructor(options: HandlingOptions, context: HandlingContext, settler: Settler, listener: RunnerListener) {
    const { batchHandler } = options;
    const { events, labels } = context;
    this.#context = context;
    this.#settler = settler;
    this.#listener = listener;
    this.#events = new HandledEvents(events, labels);
    this.#report = (callback, error) => {
      events.emit('background-error', { duty: `${callback} of ${labels.handler}`, error });
    };
    this.#frames = new FrameReader(options.queue, context, settler);
    this.#replies = new Replies(context, settler, options);
    this.#handlers = new HandlerSet(options, context, this.#replies);
    this.#batches =
      batchHandler &&
      new BatchRunner(options, batchHandler, {
        labels,
        listener,
        events: this.#events,
        frames: this.#frames,
        replies: this.#replies,
        report: this.#report,
        decode: this.#decode,
      });
  }

  /** Starts a unit of work. It never throws. */
  start(unit: readonly HeldMessage[]): void {
    const began = performance.now();
    for (const held of unit) held.startedAt = began;
    if (this.#batches !== undefined) {
      void this.#batches.run(unit, began);
      return;
    }
    const held = unit[0];
    if (held === undefined) return;
    const message = this.#frames.read(held);
    if (message === undefined) {
      this.#listener.unitEnded(1, 0);
      return;
    }
    const handlers = this.#handlers.for(message.routingKey);
    const [handler] = handlers;
    if (handler === undefined) {
      this.#settler.settle(held, { kind: 'park', reason: 'no-handler' }, this.#context.labels);
      this.#listener.unitEnded(1, 0);
    } else if (handlers.length === 1 && held.handled === undefined) this.#runOne(held, message, handler, began);
    else void this.#runAll(held, message, handlers, began);
  }

  /** All messages that may start now have been started. */
  begun(): void {
    this.#events.flush();
  }

  #runOne(held: HeldMessage, message: StoredMessage, handler: MessageHandlerPlan, began: number): void {
    const context = new MessageContext(held.origin, held.id, message, held.deliveries);
    held.context = context;
    deliverTo(planFor(message, handler), context, this.#decode, (outcome, _context, endedAtStart) => {
      const now = performance.now();
      const tookMs = now - began;
      this.#events.emit(handler.labels, outcome, context, tookMs, endedAtStart ? now : undefined);
      this.#settle(held, settlementOf(held, outcome, handler.retry, this.#report), handler.labels, tookMs);
    });
  }

  /** Each handler has its own context and deadline; handlers that are done with the message are not called again. */
  async #runAll(
    held: HeldMessage,
    message: StoredMessage,
    handlers: readonly MessageHandlerPlan[],
    began: number,
  ): Promise<void> {
    const before = parseHandled(held.handled);
    const isThrough = (name: string) =>
      before.done.includes(name) || before.dead.some(({ handler }) => handler === name);
    const open = handlers.filter(({ name }) => !isThrough(name));
    const contexts = open.map(() => new MessageContext(held.origin, held.id, message, held.deliveries));
    held.context = contexts;
    const ended = await Promise.all(open.map(async (handler, index) => this.#runOneOf(held, handler, contexts[index])));
    const { settlement, handled } = combineSettlements(before, ended);
    const isOneGivenBack = ended.length === 1 && ended[0]?.settlement.kind === 'release' && before.done.length === 0;
    const [all, through] = [held.isCancelled ? cancelled : settlement, isOneGivenBack ? undefined : handled];
    this.#settle(held, all, this.#context.labels, performance.now() - began, through);
  }

  #settle(
    held: HeldMessage,
    settlement: MessageSettlement,
    labels: HandlerLabels,
    tookMs: number,
    handled?: Handled,
  ): void {
    const settled = this.#replies.settle(held, settlement, labels, handled);
    if (settled === undefined) this.#listener.unitEnded(1, tookMs);
    else void settled.then(() => this.#listener.unitEnded(1, tookMs));
  }

  async #runOneOf(
    held: HeldMessage,
    handler: MessageHandlerPlan,
    context: MessageContext | undefined,
  ): Promise<HandlerSettlement> {
    if (context === undefined) return { handler: handler.name, settlement: cancelled };
    const began = performance.now();
    const outcome = await deliver(planFor(held.message, handler), context, () => this.#decode(context));
    this.#events.emit(handler.labels, outcome, context, performance.now() - began);
    const settlement = settlementOf(held, outcome, handler.retry, this.#report);
    return { handler: handler.name, settlement: settlement.kind === 'requeue' ? immediately : settlement };
  }

  readonly #decode = (context: MessageContext): unknown =>
    this.#context.codecs.get(context.codecId).decode(context.body);
}

const cancelled: Settlement = { kind: 'drop', reason: 'cancelled' };
/** One of several handlers gives the message back: only that handler gets it again, immediately. */
const immediately: Settlement = { kind: 'retry', delayMs: 0, countsAsAttempt: false };

/** A request is handled no longer than its requester waits. */
function planFor(message: StoredMessage | undefined, { plan }: MessageHandlerPlan): MessageHandlerPlan['plan'] {
  if (message === undefined || !isRequest(message)) return plan;
  const waitMs = message.properties.expirationMs ?? Number.POSITIVE_INFINITY;
  return { ...plan, handlerTimeoutMs: Math.min(waitMs, plan.handlerTimeoutMs || waitMs) };
}
