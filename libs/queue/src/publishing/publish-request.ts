import { InvalidItems, InvalidMessageError, isInstance, quotedName, shown, UnroutableError } from '@millrace/core';
import type { Receipt } from '../model/receipt.js';
import { assertOnlyParts, type Composer, type MessageInput } from './composer.js';
import { emitPublished } from './emit-published.js';
import type { Publication, PublicationListener } from './publication.js';
import type { Publisher } from './publisher.js';

/** The messages of one call, or the only one: collects their receipts. */
export class PublishRequest implements PublicationListener {
  readonly deadlineMs: number;
  readonly #publisher: Publisher;
  readonly #receipts: Receipt[];
  #missing: number;
  #error: { readonly error: unknown } | undefined;
  readonly #resolve: (receipts: Receipt[]) => void;
  readonly #reject: (error: unknown) => void;

  /** Sends a single message. @throws the message's error */
  static one(
    publisher: Publisher,
    composer: Composer,
    message: MessageInput,
    options?: { readonly isSentToQueue: boolean },
  ): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      const onlyOne = (receipts: Receipt[]): void => receipts.forEach(resolve);
      const request = new PublishRequest(publisher, 1, onlyOne, reject);
      const publication = composer.compose(message, request, options);
      publisher.send(publication)?.catch((error: unknown) => publication.fail(error));
    });
  }

  /** Sends messages in order. @throws the first error, when every message has its receipt or error */
  static all(
    publisher: Publisher,
    composer: Composer,
    messages: readonly MessageInput[],
    options?: { readonly isSentToQueue: boolean },
  ): Promise<Receipt[]> {
    if (!Array.isArray(messages)) {
      return Promise.reject(new InvalidMessageError(`the messages of a call must be a list, got ${shown(messages)}.`));
    }
    if (messages.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const request = new PublishRequest(publisher, messages.length, resolve, reject);
      // An invalid message throws here, before the first is sent.
      const bodies = composer.encodeTogether(messages);
      const publications: Publication[] = [];
      let wrong: InvalidItems | undefined;
      for (const [index, message] of messages.entries()) {
        try {
          assertOnlyParts(message);
          publications.push(composer.compose(message, request, { index, encoded: bodies?.[index], ...options }));
        } catch (error) {
          wrong ??= new InvalidItems();
          wrong.add(placeOf(message, index), error);
        }
      }
      if (wrong !== undefined) throw wrong.error();
      request.#send(publications, 0);
    });
  }

  private constructor(
    publisher: Publisher,
    count: number,
    resolve: (receipts: Receipt[]) => void,
    reject: (error: unknown) => void,
  ) {
    this.deadlineMs = publisher.deadlineMs;
    this.#publisher = publisher;
    this.#receipts = new Array(count);
    this.#missing = count;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  confirmed(receipt: Receipt, { index, target }: Publication): void {
    this.#receipts[index] = receipt;
    emitPublished(this.#publisher.events, target.exchange, receipt);
    this.#ended();
  }

  failed(error: unknown, { target }: Publication): void {
    emitPublished(this.#publisher.events, target.exchange, undefined, isInstance(error, UnroutableError));
    this.#error ??= { error };
    this.#ended();
  }

  /** Continues as long as there is room, and again when there is room. */
  #send(publications: readonly Publication[], from: number): void {
    for (let index = from; index < publications.length; index++) {
      const publication = publications[index];
      if (publication === undefined) return;
      const waiting = this.#publisher.send(publication);
      if (waiting === undefined) continue;
      waiting.then(
        () => this.#send(publications, index + 1),
        (error: unknown) => {
          for (const unsent of publications.slice(index)) unsent.fail(error);
        },
      );
      return;
    }
  }

  #ended(): void {
    if (--this.#missing > 0) return;
    if (this.#error === undefined) this.#resolve(this.#receipts);
    else this.#reject(this.#error.error);
  }
}

function placeOf(message: MessageInput | undefined, index: number): string {
  const names = [`routing key ${quotedName(message?.routingKey)}`];
  const id = message?.properties?.messageId;
  if (id !== undefined) names.push(`id ${quotedName(id)}`);
  return `messages[${index}] (${names.join(', ')})`;
}
