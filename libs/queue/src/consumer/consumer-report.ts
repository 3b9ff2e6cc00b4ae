import type { Fifo } from '@millrace/core';
import type { Events, HandlerLabels, RunningConsumer } from '@millrace/delivery';
import type { Taken } from '../store/taken.js';

/** Emits what a consumer takes and settles: one event per turn, however many messages it brought. */
export class ConsumerReport {
  readonly #events: Events;
  readonly #consumer: RunningConsumer;

  constructor(events: Events, labels: HandlerLabels, consumer: { readonly status: { readonly running: number } }) {
    this.#events = events;
    this.#consumer = { ...labels, running: () => consumer.status.running };
  }

  /** Called again after each registration: listeners that count consumers identify them by the object. */
  started(): void {
    this.#events.emit('consumer-started', this.#consumer);
  }

  stopped(): void {
    this.#events.emit('consumer-stopped', this.#consumer);
  }

  delivered(messages: Fifo<Taken>): void {
    if (!this.#events.has('delivered')) return;
    let redelivered = 0;
    for (const { deliveries } of messages) if (deliveries > 0) redelivered++;
    this.#events.emit('delivered', { source: this.#consumer.source, count: messages.size, redelivered });
  }

  acknowledged(count: number): void {
    if (count > 0) this.#events.emit('acknowledged', { source: this.#consumer.source, count });
  }
}
