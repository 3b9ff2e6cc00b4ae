import {
  type CallbackReport,
  type CodecRegistry,
  errorOf,
  type Outcome,
  outcomeOfThrow,
  type Settlement,
  settledAnswer,
} from '@millrace/core';
import { deliver, deliverTo, type HandlerLabels } from '@millrace/delivery';
import { outcomeOfOne } from '../model/batch-outcome.js';
import { combineSettlements, type Handled, type HandlerSettlement, parseHandled } from '../model/handled.js';
import { noProperties, type StoredMessage } from '../model/message-frame.js';
import type { RpcResponder } from '../rpc/rpc-responder.js';
import { BatchContext, type BatchMessage } from './batch-context.js';
import type { ConsumerHandlers, MessageHandlerPlan } from './consumer-handlers.js';
import type { ConsumerHost } from './consumer-host.js';
import type { BatchHandler, ConsumerOptions } from './consumer-options.js';
import { type MessageSettlement, settlementOf } from './consumer-settling.js';
import { FrameReader } from './frame-reader.js';
import { HandledTeller } from './handled-teller.js';
import type { HeldMessage } from './held-message.js';
import { MessageContext } from './message-context.js';
import { errorToTell, planFor } from './request-terms.js';

/** Hears what became of messages. */
export interface RunnerUser {
  settle(held: HeldMessage, settlement: MessageSettlement, labels: HandlerLabels, handled?: Handled): void;
  park(held: HeldMessage): void;
  unitEnded(messages: number, tookMs: number): void;
  failed(error: unknown): void;
}

/** Runs handlers for messages that a consumer holds: one handler, all of several that match, or one for a batch. */
export class ConsumerRunner {
  readonly #options: ConsumerOptions;
  readonly #handlers: ConsumerHandlers;
  readonly #codecs: CodecRegistry;
  readonly #responder: RpcResponder;
  readonly #user: RunnerUser;
  readonly #labels: HandlerLabels;
  readonly #teller: HandledTeller;
  /** Takes what functions of a retry policy did wrong. */
  readonly #report: CallbackReport;
  readonly #frames: FrameReader;
  /** The message that is being started. */
  #starting: HeldMessage | undefined;

  constructor(options: ConsumerOptions, handlers: ConsumerHandlers, host: ConsumerHost, user: RunnerUser) {
    this.#options = options;
    this.#handlers = handlers;
    this.#codecs = host.codecs;
    this.#responder = host.responder;
    this.#user = user;
    this.#labels = Object.freeze({ handler: options.name ?? options.queue, source: `queue:${options.queue}` });
    this.#teller = new HandledTeller(host.events, this.#labels);
    this.#report = (callback, error) => {
      host.events.emit('background-error', { duty: `${callback} of ${this.#labels.handler}`, error });
    };
    this.#frames = new FrameReader(options.queue, this.#labels, user);
  }

  /** Starts a unit of work. It never throws. */
  start(unit: readonly HeldMessage[]): void {
    const began = performance.now();
    const { batchHandler } = this.#options;
    if (batchHandler !== undefined) {
      void this.#runBatch(batchHandler, unit, began);
      return;
    }
    const held = unit[0];
    if (held === undefined) return;
    const message = this.#frames.read(held);
    if (message === undefined) {
      this.#user.unitEnded(1, 0);
      return;
    }
    const handlers = this.#handlers.for(message.routingKey);
    const [handler] = handlers;
    if (handler === undefined) {
      this.#user.park(held);
      this.#user.unitEnded(1, 0);
    } else if (handlers.length === 1 && held.handled === undefined) this.#runOne(held, message, handler, began);
    else void this.#runAll(held, message, handlers, began);
  }

  /** Those that were started for now all are. */
  begun(): void {
    this.#teller.flush();
  }

  #runOne(held: HeldMessage, message: StoredMessage, handler: MessageHandlerPlan, began: number): void {
    const context = new MessageContext(held.origin, held.id, message, held.deliveries);
    held.context = context;
    this.#starting = held;
    deliverTo(planFor(message, handler), context, this.#decode, (outcome) => {
      const now = performance.now();
      const tookMs = now - began;
      this.#teller.tell(handler.labels, outcome, context, tookMs, held === this.#starting ? now : undefined);
      this.#settle(held, settlementOf(held, outcome, handler.retry, this.#report), handler.labels, tookMs);
    });
    this.#starting = undefined;
  }

  /** Each handler has its own context and deadline; those that are through with the message are not called again. */
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
    this.#settle(held, all, this.#labels, performance.now() - began, through);
  }

  /** A request that failed is answered with its error, and not tried again: its requester decides whether to ask anew. */
  #settle(
    held: HeldMessage,
    settlement: MessageSettlement,
    labels: HandlerLabels,
    tookMs: number,
    handled?: Handled,
  ): void {
    const error = errorToTell(held, settlement);
    if (error === undefined) {
      this.#user.settle(held, settlement, labels, handled);
      this.#user.unitEnded(1, tookMs);
    } else void this.#failRequest(held, error.error, labels).then(() => this.#user.unitEnded(1, tookMs));
  }

  async #failRequest(held: HeldMessage, error: unknown, labels: HandlerLabels): Promise<void> {
    try {
      if (await held.origin.holds(held.id)) await this.#responder.fail(held.message?.properties ?? noProperties, error);
    } catch (failure) {
      // Without its reply the request is dropped all the same: its requester's time runs out.
      this.#user.failed(failure);
    }
    this.#user.settle(held, { kind: 'drop', reason: 'the requester was told' }, labels);
  }

  async #runOneOf(
    held: HeldMessage,
    handler: MessageHandlerPlan,
    context: MessageContext | undefined,
  ): Promise<HandlerSettlement> {
    if (context === undefined) return { handler: handler.name, settlement: cancelled };
    const began = performance.now();
    const outcome = await deliver(planFor(held.message, handler), context, () => this.#decode(context));
    this.#teller.tell(handler.labels, outcome, context, performance.now() - began);
    const settlement = settlementOf(held, outcome, handler.retry, this.#report);
    return { handler: handler.name, settlement: settlement.kind === 'requeue' ? atOnce : settlement };
  }

  async #runBatch(batchHandler: BatchHandler, unit: readonly HeldMessage[], began: number): Promise<void> {
    const { handlerTimeoutMs, abortGraceMs } = this.#options;
    const readable: { readonly held: HeldMessage; readonly entry: BatchMessage }[] = [];
    for (const held of unit) {
      const message = this.#frames.read(held);
      if (message === undefined) continue;
      const context = new MessageContext(held.origin, held.id, message, held.deliveries);
      held.context = context;
      const outcome = await this.#readPayload(context);
      if (outcome.kind === 'completed') readable.push({ held, entry: { payload: outcome.result, context } });
      else await this.#settleOfBatch(held, outcome);
    }
    const messages = readable.map(({ entry }) => entry);
    const context = new BatchContext(this.#options.queue, messages);
    for (const { held } of readable) held.context = context;
    const handle = (): unknown => settledAnswer(batchHandler(messages, context), errorOf);
    const outcome: Outcome =
      messages.length === 0
        ? { kind: 'completed', result: undefined }
        : await deliver(
            { handle, handlerTimeoutMs, abortGraceMs, onLate: this.#teller.tellLate },
            context,
            () => messages,
          );
    const tookMs = performance.now() - began;
    this.#teller.tell(this.#labels, outcome, context, tookMs);
    const replies = readable.map(({ held }, index) =>
      this.#settleOfBatch(held, outcomeOfOne(outcome, index, readable.length), context),
    );
    if (replies.some((reply) => reply !== undefined)) await Promise.all(replies);
    this.#user.unitEnded(unit.length, tookMs);
  }

  /** One message of a batch. A request is settled when its reply is sent: its own result, or nothing where there is none. */
  #settleOfBatch(held: HeldMessage, outcome: Outcome, context?: BatchContext): Promise<void> | undefined {
    if (held.message?.properties.replyTo !== undefined) return this.#answerOfBatch(held, outcome, context);
    this.#user.settle(held, settlementOf(held, outcome, this.#options.retry, this.#report), this.#labels);
    return undefined;
  }

  async #answerOfBatch(held: HeldMessage, outcome: Outcome, context: BatchContext | undefined): Promise<void> {
    let end = outcome;
    try {
      const properties = held.message?.properties ?? noProperties;
      const isAnswer = outcome.kind === 'completed' && context !== undefined;
      if (isAnswer && (await held.origin.holds(held.id)))
        await this.#responder.answer({ properties, signal: context.signal }, outcome.result);
    } catch (thrown) {
      end = outcomeOfThrow(thrown);
    }
    const settlement = settlementOf(held, end, this.#options.retry, this.#report);
    const error = errorToTell(held, settlement);
    if (error === undefined) this.#user.settle(held, settlement, this.#labels);
    else await this.#failRequest(held, error.error, this.#labels);
  }

  /** Decodes and validates one message of a batch, as `deliver` does for a single one, under the deadline of the handler. */
  #readPayload(context: MessageContext): Promise<Outcome> {
    const { validate, handlerTimeoutMs, abortGraceMs } = this.#options;
    const plan = { handle: passedOn, validate, handlerTimeoutMs, abortGraceMs, onLate: this.#teller.tellLate };
    return deliver(plan, context, () => this.#decode(context));
  }

  readonly #decode = (context: MessageContext): unknown => this.#codecs.get(context.codecId).decode(context.body);
}

const passedOn = (payload: unknown): unknown => payload;
const cancelled: Settlement = { kind: 'drop', reason: 'cancelled' };
/** One of several handlers gives the message back: it alone has it again, and soon. */
const atOnce: Settlement = { kind: 'retry', delayMs: 0, countsAsAttempt: false };
