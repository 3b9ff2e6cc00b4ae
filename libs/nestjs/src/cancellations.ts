import { randomUUID } from 'node:crypto';
import type { Service } from '@millrace/delivery';
import type { Millrace } from './millrace.js';
import { cancellationsExchange } from './rpc-names.js';

/** Requests of which a cancellation came before themselves; the oldest is forgotten when there are more. */
const maxEarly = 1000;

/** Hears, in this server, which requests are no longer waited for. Every server hears of every cancellation. */
export class Cancellations implements Service {
  readonly #millrace: Millrace;
  readonly #exchange: string;
  readonly #queue = `cancellations.${randomUUID()}`;
  readonly #running = new Map<string, AbortController>();
  readonly #early = new Set<string>();
  readonly #consumer: Service;

  constructor(millrace: Millrace, exchange: string) {
    this.#millrace = millrace;
    this.#exchange = cancellationsExchange(exchange);
    this.#consumer = millrace.broker.consumer({
      queue: this.#queue,
      name: 'cancellations of requests',
      retry: false,
      handler: (id) => this.#cancel(String(id)),
    });
  }

  async start(): Promise<void> {
    await this.#millrace.broker.declare({
      exchanges: [{ name: this.#exchange, type: 'fanout' }],
      // It goes with its consumer, and after a crash by itself.
      queues: [{ name: this.#queue, autoDelete: true, idleExpiryMs: 60_000, messageTtlMs: 60_000 }],
      bindings: [{ exchange: this.#exchange, queue: this.#queue }],
    });
    await this.#consumer.start();
  }

  async stop(): Promise<void> {
    await this.#consumer.stop({ deadlineMs: 1000 });
  }

  /** Aborted when the request is cancelled, also when that was heard before. */
  signalOf(request: string): AbortSignal {
    const controller = new AbortController();
    this.#running.set(request, controller);
    if (this.#early.delete(request)) controller.abort();
    return controller.signal;
  }

  forget(request: string): void {
    this.#running.delete(request);
  }

  #cancel(request: string): void {
    const running = this.#running.get(request);
    running?.abort();
    if (running !== undefined) return;
    this.#early.add(request);
    const [oldest] = this.#early;
    if (this.#early.size > maxEarly && oldest !== undefined) this.#early.delete(oldest);
  }
}
