import type { Outcome } from '@millrace/core';
import { type DeliveryContext, type Events, emitLateOutcome, HandledRun, type HandlerLabels } from '@millrace/delivery';
import { MessageContext } from './message-context.js';

/** Emits `handled` for a consumer's deliveries: those that end synchronously as one event, the others one by one. */
export class HandledEvents {
  readonly #events: Events;
  readonly #labels: HandlerLabels;
  readonly #run: HandledRun;

  /** @param labels of the handler whose deliveries may share an event */
  constructor(events: Events, labels: HandlerLabels) {
    this.#events = events;
    this.#labels = labels;
    this.#run = new HandledRun(labels);
  }

  /** @param endedAt when it ended, if it ended synchronously */
  emit(labels: HandlerLabels, outcome: Outcome, context: DeliveryContext, durationMs: number, endedAt?: number): void {
    if (!this.#events.has('handled')) return;
    const timestamp = context instanceof MessageContext ? context.timestamp : undefined;
    const { attempt } = context;
    const { handler, source } = labels;
    const isPlain = outcome.kind === 'completed' && attempt === 1 && handler === this.#labels.handler;
    if (!isPlain || endedAt === undefined || timestamp === undefined) {
      this.#events.emit('handled', { handler, source, outcome: outcome.kind, attempt, durationMs, timestamp });
      return;
    }
    if (this.#run.isFull) this.flush();
    this.#run.add(endedAt - durationMs, timestamp);
    this.#run.endedBy(endedAt);
  }

  /** One of the consumer's handlers ended after its attempt was given up. */
  readonly emitLate = (outcome: Outcome, context: DeliveryContext): void =>
    emitLateOutcome(this.#events, this.#labels, context, outcome);

  /** Nothing more is started for now. */
  flush(): void {
    this.#events.emitRun(this.#run);
  }
}
