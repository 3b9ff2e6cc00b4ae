import { DeadLetter, type Headers } from '@millrace/core';
import { DeliveryContext } from '@millrace/delivery';
import { callError } from '@millrace/redis';
import type { Death } from '../model/death.js';
import { countDeliveries, type Deliveries } from '../model/deliveries.js';
import type { StoredMessage, StoredProperties } from '../model/message-frame.js';
import { defaultReplyWaitMs, retryUntil } from '../rpc/retry-until.js';
import { Requeue } from './requeue.js';

/** What a context needs of its consumer. */
export interface MessageSource {
  readonly queue: string;
  reportProgress(id: string, progress: unknown): Promise<boolean>;
  /** Whether this consumer still owns the message; a promise when Redis has to be asked. */
  holds(id: string): boolean | Promise<boolean>;
}

/** One attempt to handle one message of a queue. */
export class MessageContext extends DeliveryContext {
  /** The id set by the publisher, or a generated one. */
  readonly messageId: string;
  readonly #entry: string;
  readonly #source: MessageSource;
  readonly #message: StoredMessage;
  readonly #deliveries: Deliveries;

  constructor(source: MessageSource, entry: string, message: StoredMessage, deliveries: Deliveries) {
    super();
    this.messageId = message.id ?? entry;
    this.#entry = entry;
    this.#source = source;
    this.#message = message;
    this.#deliveries = deliveries;
  }

  /** The queue it was taken from. */
  get queue(): string {
    return this.#source.queue;
  }

  /** The exchange it was published to; `''` is the default exchange. */
  get exchange(): string {
    return this.#message.exchange;
  }

  /** The key it was published with. */
  get routingKey(): string {
    return this.#message.routingKey;
  }

  /** The headers it was published with. */
  get headers(): Headers {
    return this.#message.headers;
  }

  /** `correlationId`, `replyTo`, `type`, `expirationMs`, `retry`, where the publisher set them. */
  get properties(): StoredProperties {
    return this.#message.properties;
  }

  /** The priority, from 0, the lowest. */
  get priority(): number {
    return this.#message.priority;
  }

  /** When it was published, in ms since 1970, by the publisher's clock. */
  get timestamp(): number {
    return this.#message.timestamp;
  }

  /** How it died before, newest first: RabbitMQ's `x-death`. */
  get deaths(): readonly Death[] {
    return this.#message.deaths;
  }

  /** One more than the attempts that failed; `RetryLater` and a consumer's death do not count as failed attempts. */
  override get attempt(): number {
    return this.#deliveries.failures + 1;
  }

  /** How many times it was delivered before, however those deliveries ended. */
  get deliveryCount(): number {
    return countDeliveries(this.#deliveries);
  }

  /** Whether a handler may have worked on it before. */
  get redelivered(): boolean {
    return this.deliveryCount > 0;
  }

  /** For the pipeline: the codec of the body. */
  get codecId(): number {
    return this.#message.codecId;
  }

  /** The body as it was sent: the payload before it is decoded. */
  get body(): Buffer {
    return this.#message.body;
  }

  override describe(): string {
    return `message ${this.messageId} of queue "${this.queue}"`;
  }

  /** Acknowledges the message immediately, before the handler ends; what the handler does after that has no effect on it. */
  ack(): void {
    this.decideNow({ kind: 'completed', result: undefined });
  }

  /** Settles the message immediately as failed: it is retried by policy, then dead-lettered. */
  nack(error: unknown = new Error('the handler called nack()')): void {
    this.decideNow({ kind: 'failed', error });
  }

  /** Settles the message immediately as a dead letter, with this reason (AMQP: reject without requeue). */
  reject(reason: string): void {
    this.decideNow({ kind: 'given-up', error: new DeadLetter(reason) });
  }

  /** Gives the message back to the queue immediately: to the back, or to the head, where it is delivered next. */
  requeue({ to = 'back' }: { readonly to?: 'back' | 'head' } = {}): void {
    this.decideNow({ kind: 'failed', error: new Requeue(to) });
  }

  /** Internal: whether a reply to it may be sent. Redis is asked only when the lease may have been lost. */
  mayReply(): boolean | Promise<boolean> {
    if (this.isAborted) return false;
    const holds = this.#source.holds(this.#entry);
    if (typeof holds === 'boolean') return holds;
    // An outage does not fail a request: its reply is sent through outages, too.
    const until = performance.now() + (this.properties.expirationMs ?? defaultReplyWaitMs);
    const isGivenUp = () => this.isAborted;
    return holds.catch(() => retryUntil({ until, isGivenUp }, async () => this.#source.holds(this.#entry)));
  }

  /**
   * Stores the handler's progress: any JSON value, to be read with `broker.queue(name).message(id)`. It also moves the
   * handler's deadline, as `extend()` does.
   *
   * @returns false when this consumer no longer owns the message: the handler should stop
   * @throws {UnavailableError} Redis is unreachable
   */
  async progress(value: unknown): Promise<boolean> {
    if (this.isAborted) return false;
    this.extend();
    try {
      return await this.#source.reportProgress(this.#entry, value);
    } catch (error) {
      throw callError(`report the progress of ${this.describe()}`, error);
    }
  }
}
