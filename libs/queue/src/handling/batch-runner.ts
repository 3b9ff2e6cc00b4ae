import { type CallbackReport, errorOf, type Outcome, outcomeOfThrow, settledAnswer } from '@millrace/core';
import { deliver } from '@millrace/delivery';
import type { BatchHandler, ConsumerOptions } from '../consumer/consumer-options.js';
import { outcomesOfBatch } from '../model/batch-outcome.js';
import { noProperties } from '../model/message-frame.js';
import type { RpcResponder } from '../rpc/rpc-responder.js';
import { BatchContext, type BatchMessage } from './batch-context.js';
import type { FrameReader } from './frame-reader.js';
import type { HandledEvents } from './handled-events.js';
import type { HeldMessage } from './held-message.js';
import { MessageContext } from './message-context.js';
import type { RunnerListener } from './message-runner.js';
import type { Replies } from './replies.js';
import { settlementOf } from './settler.js';

/** What a batch is run with. */
export interface BatchRunnerContext {
  readonly user: RunnerListener;
  readonly responder: RpcResponder;
  readonly teller: HandledEvents;
  readonly frames: FrameReader;
  readonly requests: Replies;
  /** Takes what functions of a retry policy did wrong. */
  readonly report: CallbackReport;
  decode(context: MessageContext): unknown;
}

/** Runs a batch handler: for the messages of a batch that can be read, under one context. */
export class BatchRunner {
  readonly #options: ConsumerOptions;
  readonly #handler: BatchHandler;
  readonly #context: BatchRunnerContext;

  constructor(options: ConsumerOptions, handler: BatchHandler, context: BatchRunnerContext) {
    this.#options = options;
    this.#handler = handler;
    this.#context = context;
  }

  /** It never rejects. */
  async run(unit: readonly HeldMessage[], began: number): Promise<void> {
    const { user, teller } = this.#context;
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
    teller.tell(user.labels, outcome, context, tookMs);
    const outcomes = outcomesOfBatch(outcome, readable.length);
    const replies = readable.map(({ held }, index) => this.#settle(held, outcomes[index] ?? outcome, context));
    if (replies.some((reply) => reply !== undefined)) await Promise.all(replies);
    user.unitEnded(unit.length, tookMs);
  }

  /** Decodes and validates one message, as `deliver` does for a single one. What fails is settled, and undefined. */
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
    return { handlerTimeoutMs, abortGraceMs, onLate: this.#context.teller.tellLate };
  }

  /** One message of a batch. A request is settled when its reply is sent: its own result, or nothing where there is none. */
  #settle(held: HeldMessage, outcome: Outcome, context?: BatchContext): Promise<void> | undefined {
    if (held.message?.properties.replyTo !== undefined) return this.#answer(held, outcome, context);
    return this.#settleAs(held, outcome);
  }

  async #answer(held: HeldMessage, outcome: Outcome, context: BatchContext | undefined): Promise<void> {
    let end = outcome;
    try {
      const properties = held.message?.properties ?? noProperties;
      const isAnswer = outcome.kind === 'completed' && context !== undefined;
      if (isAnswer && (await held.origin.holds(held.id)))
        await this.#context.responder.answer({ properties, signal: context.signal }, outcome.result);
    } catch (thrown) {
      end = outcomeOfThrow(thrown);
    }
    await this.#settleAs(held, end);
  }

  #settleAs(held: HeldMessage, outcome: Outcome): Promise<void> | undefined {
    const { requests, report, user } = this.#context;
    return requests.settle(held, settlementOf(held, outcome, this.#options.retry, report), user.labels);
  }
}

const passedOn = (payload: unknown): unknown => payload;
