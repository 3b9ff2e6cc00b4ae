import type { PublishProperties, Receipt } from '@millrace/queue';
import type { ExchangeMessages } from '../decorators/definitions.js';
import type { PayloadOf } from '../decorators/payload-type.js';
import type { ValidatePayload } from '../pipeline/payload-validation.js';
import type { Millrace } from './millrace.js';

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
