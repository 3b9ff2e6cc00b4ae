import { type CheckPayload, checkPayloads, quotedName } from '@millrace/core';
import type { PublishProperties } from './model/publish-properties.js';
import type { Receipt } from './model/receipt.js';
import type { RequestOptions } from './rpc/rpc-client.js';

/** A message for one queue. */
export interface QueueMessage<T = unknown> {
  /** Encoded with the broker's codec. */
  readonly body: T;
  /** The other properties of the message. */
  readonly properties?: PublishProperties | undefined;
}

/** How the payloads of a queue's messages are checked before they are sent, and those of replies when they come. */
export interface QueuePayloads {
  /** Checks a payload that is sent; `subject` names it in errors. Its result is not used. @throws {ValidationError} */
  readonly validate?: CheckPayload | undefined;
  /** Checks a reply; may return another value in its place. @throws {ValidationError} */
  readonly validateReply?: CheckPayload | undefined;
}

/** What a sender needs of its broker. */
export interface SenderContext {
  send(queue: string, body: unknown, properties: PublishProperties | undefined): Promise<Receipt>;
  sendBatch(queue: string, messages: readonly QueueMessage[]): Promise<Receipt[]>;
  request(queue: string, body: unknown, options: RequestOptions | undefined): Promise<unknown>;
  requestStream(queue: string, body: unknown, options: RequestOptions | undefined): AsyncIterable<unknown>;
}

/** Sends messages and requests straight to one queue, without an exchange. */
export class MessageSender<T = unknown, R = unknown> {
  /** The queue's name. */
  readonly name: string;
  readonly #context: SenderContext;
  readonly #payloads: QueuePayloads;

  constructor(name: string, context: SenderContext, payloads: QueuePayloads = {}) {
    this.name = name;
    this.#context = context;
    this.#payloads = payloads;
  }

  /**
   * The queue's name.
   *
   * @deprecated use `name`
   */
  get queue(): string {
    return this.name;
  }

  /**
   * Sends a message; the receipt is Redis' confirmation.
   *
   * @throws {ValidationError} the payload is not of the queue's type, with every problem; nothing was sent
   * @throws {InvalidMessageError} the message is invalid: nothing was sent
   * @throws {TopologyNotFoundError} there is no such queue
   * @throws {WriteError} no confirmation within `deliveryTimeoutMs`
   */
  send(body: T, properties?: PublishProperties): Promise<Receipt> {
    if (this.#payloads.validate === undefined) return this.#context.send(this.name, body, properties);
    return this.#checked(body).then(() => this.#context.send(this.name, body, properties));
  }

  /**
   * Sends messages, in order; resolves to their receipts. All are checked before the first is sent. When one fails the others continue,
   * and the first error is thrown at the end: with your own message ids, the whole call can be repeated.
   *
   * @throws as `send`
   */
  async sendBatch(messages: readonly QueueMessage<T>[]): Promise<Receipt[]> {
    if (this.#payloads.validate !== undefined)
      await checkPayloads(`batch for queue "${this.name}"`, messages, (one) => this.#checked(one?.body), placeOf);
    return this.#context.sendBatch(this.name, messages);
  }

  /**
   * Sends a request and resolves to what its handler returned.
   *
   * @throws {ValidationError} the payload or the reply is not of the queue's type
   * @throws {RemoteError} the handler failed
   * @throws {RequestTimeoutError} no reply within `timeoutMs`
   * @throws {UnroutableError} there is no such queue; or as `send`; or what `signal` was aborted with
   */
  async request(body: T, options?: RequestOptions): Promise<R> {
    await this.#checked(body);
    return this.#reply(await this.#context.request(this.name, body, options));
  }

  /** As `request`, for a handler that yields any number of replies. Ending the iteration early cancels the request. */
  async *requestStream(body: T, options?: RequestOptions): AsyncGenerator<R, void, void> {
    await this.#checked(body);
    for await (const reply of this.#context.requestStream(this.name, body, options)) yield await this.#reply(reply);
  }

  async #checked(body: T): Promise<void> {
    await this.#payloads.validate?.(body, `message for queue "${this.name}"`);
  }

  /** Its type is the one that the caller declared: without a check, nothing guarantees it. */
  async #reply(reply: unknown): Promise<R> {
    const { validateReply } = this.#payloads;
    const checked = validateReply === undefined ? reply : await validateReply(reply, `reply of queue "${this.name}"`);
    return checked as R;
  }
}

function placeOf(message: QueueMessage | undefined, index: number): string {
  const id = message?.properties?.messageId;
  return id === undefined ? `messages[${index}]` : `messages[${index}] (id ${quotedName(id)})`;
}
