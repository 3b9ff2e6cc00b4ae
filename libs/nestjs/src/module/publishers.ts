import { type Headers, isInstance, quotedName, ValidationError } from '@millrace/core';
import type { RecordInput, RecordMetadata } from '@millrace/log';
import type { PublishProperties, Receipt } from '@millrace/queue';
import type { ExchangeMessages } from '../decorators/definitions.js';
import type { PayloadOf } from '../decorators/payload-type.js';
import type { ValidatePayload } from '../pipeline/payload-validation.js';
import type { Millrace } from './millrace.js';

/** A record without its topic. */
export type TopicRecord<T> = Omit<RecordInput<T>, 'topic'>;

/** Sends records of one type to one topic. Injected with `@InjectProducer(topic)`. */
export class TopicProducer<T = unknown> {
  /** The topic's name. */
  readonly topic: string;
  readonly #millrace: Millrace;
  readonly #validate: ValidatePayload | undefined;

  constructor(millrace: Millrace, topic: string, validate: ValidatePayload | undefined) {
    this.#millrace = millrace;
    this.topic = topic;
    this.#validate = validate;
  }

  /**
   * Sends one record; resolves to its partition and offset when Redis confirmed it.
   *
   * @throws {ValidationError} with every problem; nothing was sent
   */
  async send(record: TopicRecord<T>): Promise<RecordMetadata> {
    await this.#validate?.(record.value, `record for topic "${this.topic}"`);
    return this.#millrace.producer.send({ ...record, topic: this.topic });
  }

  /** Sends several records. All are validated before the first is sent. @throws {ValidationError} */
  async sendBatch(records: readonly TopicRecord<T>[]): Promise<readonly RecordMetadata[]> {
    if (this.#validate !== undefined) await this.#assertValid(this.#validate, records);
    return this.#millrace.producer.sendBatch(records.map((record) => ({ ...record, topic: this.topic })));
  }

  async #assertValid(validate: ValidatePayload, records: readonly TopicRecord<T>[]): Promise<void> {
    const problems: string[] = [];
    const checks = await Promise.allSettled(records.map(async ({ value }) => validate(value, 'record')));
    for (const [index, check] of checks.entries()) {
      if (check.status === 'fulfilled') continue;
      if (!isInstance(check.reason, ValidationError)) throw check.reason;
      const key = records[index]?.key;
      const place = key === undefined ? `records[${index}]` : `records[${index}] (key ${quotedName(key)})`;
      problems.push(...check.reason.problems.map((problem) => `${place}: ${problem}`));
    }
    if (problems.length > 0) throw new ValidationError(`batch for topic "${this.topic}"`, problems);
  }
}

/** The routing keys for publishing: those of the definition, or any when it has none. */
type KeyOf<M extends ExchangeMessages> = keyof M & string;

/** Publishes to one exchange. Injected with `@InjectExchange(exchange)`. */
export class ExchangePublisher<M extends ExchangeMessages = ExchangeMessages> {
  /** The exchange's name. */
  readonly exchange: string;
  readonly #millrace: Millrace;
  readonly #validations: ReadonlyMap<string, ValidatePayload>;

  constructor(millrace: Millrace, exchange: string, validations: ReadonlyMap<string, ValidatePayload>) {
    this.#millrace = millrace;
    this.exchange = exchange;
    this.#validations = validations;
  }

  /**
   * Publishes one message; the receipt says which queues it reached, and which refused it.
   *
   * @throws {ValidationError} with every problem; nothing was published
   */
  async publish<K extends KeyOf<M>>(
    routingKey: K,
    body: PayloadOf<M[K]>,
    properties?: PublishProperties,
  ): Promise<Receipt> {
    const subject = `message for exchange "${this.exchange}" with routing key "${routingKey}"`;
    await this.#validations.get(routingKey)?.(body, subject);
    return this.#millrace.broker.publish(this.exchange, routingKey, body, properties);
  }
}

/** Sends messages straight to one queue. Injected with `@InjectQueue(queue)`. */
export class QueueSender<T = unknown> {
  /** The queue's name. */
  readonly queue: string;
  readonly #millrace: Millrace;
  readonly #validate: ValidatePayload | undefined;

  constructor(millrace: Millrace, queue: string, validate: ValidatePayload | undefined) {
    this.#millrace = millrace;
    this.queue = queue;
    this.#validate = validate;
  }

  /**
   * Sends one message straight to the queue, without an exchange.
   *
   * @throws {ValidationError} with every problem; nothing was sent
   */
  async send(body: T, properties?: PublishProperties): Promise<Receipt> {
    await this.#validate?.(body, `message for queue "${this.queue}"`);
    return this.#millrace.broker.sendToQueue(this.queue, body, properties);
  }
}

export type { Headers, PublishProperties, Receipt, RecordMetadata };
