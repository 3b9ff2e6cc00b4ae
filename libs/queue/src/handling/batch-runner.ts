import { type CallbackReport, errorOf, type Outcome, settledAnswer } from '@millrace/core';
import { deliver, type HandlerLabels } from '@millrace/delivery';
import { outcomesOfBatch } from '../model/batch-outcome.js';
import { BatchContext, type BatchMessage } from './batch-context.js';
import type { FrameReader } from './frame-reader.js';
import type { HandledEvents } from './handled-events.js';
import type { BatchHandler, HandlingOptions } from './handling-options.js';
import type { HeldMessage } from './held-message.js';
import { MessageContext } from './message-context.js';
import type { RunnerListener } from './message-runner.js';
import { settlementOf } from './message-settlement.js';
import type { Replies } from './replies.js';

/** What a batch runner works with. */
export interface BatchRunnerContext {
  /** Identifies the consumer in events. */
  readonly labels: HandlerLabels;
  readonly listener: RunnerListener;
  readonly events: HandledEvents;
  readonly frames: FrameReader;
  readonly replies: Replies;
  /** Reports errors of a retry policy's functions. */
  readonly report: CallbackReport;
  decode(context: MessageContext): unknown;
}

/** Runs a batch handler for the readable messages of a batch, under one context. */
export class BatchRunner {
  readonly #options: HandlingOptions;
  readonly #handler: BatchHandler;
  readonly #context: BatchRunnerContext;

  constructor(options: HandlingOptions, handler: BatchHandler, context: BatchRunnerContext) {
    this.#options = options;
    this.#handler = handler;
    this.#context = context;
  }

  /** It never rejects. */
  async run(unit: readonly HeldMessage[], began: number): Promise<void> {
    const { labels, listener, events } = this.#context;
    const readable: { readonly held: HeldMessage; readonly entry: BatchMessage }[] = [];
    for (const held of unit) {
      const entry = await this.#read(held);
      if (entry !== undefined) readable.push({ held, entry });
    }
    const context = new BatchContext(
      this.#options.queue,
      readable.map(({ entry }) => entry),
    );
    for (const { held } of readable) held.context = context;
    const outcome = await this.#handle(context);
    const tookMs = performance.now() - began;
    events.emit(labels, outcome, context, tookMs);
    const outcomes = outcomesOfBatch(outcome, readable.length);
    const replies = readable.map(({ held }, index) => this.#settle(held, outcomes[index] ?? outcome, context));
    if (replies.some((reply) => reply !== undefined)) await Promise.all(replies);
    listener.unitEnded(unit.length, tookMs);
  }

  /**
   * Decodes and validates one message, as `deliver` does for a single one. On failure the message is settled, and the result is
   * undefined.
   */
  async #read(held: HeldMessage): Promise<BatchMessage | undefined> {
    const message = this.#context.frames.read(held);
    if (message === undefined) return undefined;
    const context = new MessageContext(held.origin, held.id, message, held.deliveries);
    held.context = context;
    const plan = { ...this.#terms, handle: passedOn, validate: this.#options.validate };
    const outcome = await deliver(plan, context, () => this.#context.decode(context));
    if (outcome.kind === 'completed') return { payload: outcome.result, context };
    await this.#settle(held, outcome);
    return undefined;
  }

  async #handle(context: BatchContext): Promise<Outcome> {
    const { messages } = context;
    if (messages.length === 0) return { kind: 'completed', result: undefined };
    const handle = (): unknown => settledAnswer(this.#handler(messages, context), errorOf);
    return deliver({ ...this.#terms, handle }, context, () => messages);
  }

  get #terms() {
    const { handlerTimeoutMs, abortGraceMs } = this.#options;
    return { handlerTimeoutMs, abortGraceMs, onLate: this.#context.events.emitLate };
  }

  /** One message of a batch. A request is settled when its reply is sent: its own result, or nothing where there is none. */
  #settle(held: HeldMessage, outcome: Outcome, context?: BatchContext): Promise<void> | undefined {
    if (context === undefined || held.message?.properties.replyTo === undefined) return this.#settleAs(held, outcome);
    return this.#context.replies.ofBatch(held, outcome, context).then((end) => this.#settleAs(held, end));
  }

  #settleAs(held: HeldMessage, outcome: Outcome): Promise<void> | undefined {
    const { replies, report, labels } = this.#context;
    return replies.settle(held, settlementOf(held, outcome, this.#options.retry, report), labels);
  }
}

const passedOn = (payload: unknown): unknown => payload;
