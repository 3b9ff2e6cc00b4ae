import { setTimeout as pause } from 'node:timers/promises';
import { type Delivery, DeliveryLedger } from './delivery-ledger.js';
import type { Turn } from './passes.js';
import { type Payload, payloads } from './payload.js';

/**
 * Messages that are published without a pause and handled as they come, from before a turn until after it. A turn that began with
 * nothing on its way and ended with everything handled would count the way of its last message, which is a latency, as a part of what
 * each of them costs. For what is handled as fast as it is published.
 */
export class SteadyFlow {
  readonly #ledger = new DeliveryLedger();
  #nextId = 0;
  /** Of those with an id the confirmed ones. */
  #published = 0;
  #lanes: Promise<unknown> | undefined;
  #isStopped = false;

  /** For the handler. */
  readonly handle = ({ id }: Payload): void => {
    this.#ledger.note(id);
  };

  /** Publishes the first messages, which no turn counts, and waits until they are handled; then so many batches in flight, again and again. */
  async start(
    first: number,
    publish: (payloads: readonly Payload[]) => Promise<unknown>,
    next: {
      readonly batchesInFlight: number;
      readonly batchSize: number;
      publish(payloads: readonly Payload[]): Promise<unknown>;
    },
  ): Promise<void> {
    await this.#publish(first, publish);
    await this.#ledger.until(first);
    const lane = async (): Promise<void> => {
      while (!this.#isStopped) await this.#publish(next.batchSize, next.publish);
    };
    this.#lanes = Promise.all(Array.from({ length: next.batchesInFlight }, lane));
  }

  /** Of what is on its way when it begins or ends half is done: it counts half. */
  async turn(ms: number): Promise<Turn> {
    const start = performance.now();
    const before = this.#published + this.#ledger.handled;
    await Promise.race([pause(ms), this.#lanes]);
    return { messages: (this.#published + this.#ledger.handled - before) / 2, ms: performance.now() - start };
  }

  /** Resolves when everything is handled. @throws {Error} that names what was lost */
  async stop(): Promise<Delivery> {
    this.#isStopped = true;
    await this.#lanes;
    await this.#ledger.until(this.#published);
    return this.#ledger.account(this.#published);
  }

  async #publish(count: number, publish: (payloads: readonly Payload[]) => Promise<unknown>): Promise<void> {
    const batch = payloads(count, this.#nextId);
    this.#nextId += count;
    await publish(batch);
    this.#published += count;
  }
}
