import { ClosedError, type CodecRegistry } from '@millrace/core';
import type { Events, StopOptions } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import type { LineCarrier } from '../endings/line-carrier.js';
import type { RpcResponder } from '../rpc/rpc-responder.js';
import { QueueConsumer } from './consumer.js';
import type { ConsumerContext } from './consumer-context.js';
import { type ConsumerInput, resolveConsumer } from './consumer-options.js';

/** The consumers of one Broker: creates them, and stops them with it. */
export class ConsumerRegistry implements ConsumerContext {
  readonly connection: RedisConnection;
  readonly codecs: CodecRegistry;
  readonly events: Events;
  readonly responder: RpcResponder;
  readonly slotsOf: ConsumerContext['slotsOf'];
  readonly #carrier: LineCarrier;
  readonly #removeQueue: (queue: string) => Promise<unknown>;
  readonly #all = new Set<QueueConsumer>();
  #isClosed = false;

  constructor(parts: {
    readonly connection: RedisConnection;
    readonly codecs: CodecRegistry;
    readonly events: Events;
    readonly carrier: LineCarrier;
    readonly responder: RpcResponder;
    readonly slotsOf: ConsumerContext['slotsOf'];
    /** Removes a queue that has no consumers. */
    readonly removeQueue: (queue: string) => Promise<unknown>;
  }) {
    this.connection = parts.connection;
    this.codecs = parts.codecs;
    this.events = parts.events;
    this.responder = parts.responder;
    this.slotsOf = parts.slotsOf;
    this.#carrier = parts.carrier;
    this.#removeQueue = parts.removeQueue;
  }

  /** @throws {OptionsError} with every problem */
  create(input: ConsumerInput): QueueConsumer {
    if (this.#isClosed) throw new ClosedError('the broker');
    const consumer = new QueueConsumer(this, resolveConsumer(input));
    this.#all.add(consumer);
    return consumer;
  }

  /** Stops all of them simultaneously, then waits until the follow-ups of endings have arrived. */
  async close(options?: StopOptions): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#all].map((consumer) => consumer.stop(options)));
    await this.#carrier.idle();
  }

  carryLines(slot: string): void {
    this.#carrier.carry(slot);
  }

  async consumerLeft(queue: string): Promise<void> {
    await this.#removeQueue(queue);
  }

  stopped(consumer: object): void {
    for (const known of this.#all) if (known === consumer) this.#all.delete(known);
  }
}
