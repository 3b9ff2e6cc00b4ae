import { isInstance, UnroutableError } from '@millrace/core';
import type { Receipt } from '../model/receipt.js';
import type { Composer, MessageInput } from './composer.js';
import type { PublicationListener } from './publication.js';
import type { Publisher } from './publisher.js';
import { emitPublished } from './emit-published.js';

/** A single message of a caller: as `PublishRequest`, without its lists. */
export class PublishOne implements PublicationListener {
  readonly #publisher: Publisher;
  readonly #exchange: string;
  readonly #resolve: (receipt: Receipt) => void;
  readonly #reject: (error: unknown) => void;

  /** @throws the message's error */
  static run(
    publisher: Publisher,
    composer: Composer,
    message: MessageInput,
    options?: { readonly isSentToQueue: boolean },
  ): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      const listener = new PublishOne(publisher, message.exchange, resolve, reject);
      const publication = composer.compose(message, listener, options);
      publisher.send(publication)?.catch((error: unknown) => publication.fail(error));
    });
  }

  private constructor(
    publisher: Publisher,
    exchange: string,
    resolve: (receipt: Receipt) => void,
    reject: (error: unknown) => void,
  ) {
    this.#publisher = publisher;
    this.#exchange = exchange;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  confirmed(receipt: Receipt): void {
    emitPublished(this.#publisher.events, this.#exchange, receipt);
    this.#resolve(receipt);
  }

  failed(error: unknown): void {
    emitPublished(this.#publisher.events, this.#exchange, undefined, isInstance(error, UnroutableError));
    this.#reject(error);
  }
}
