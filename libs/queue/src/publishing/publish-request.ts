import { InvalidItems, isInstance, quotedName, UnroutableError } from '@millrace/core';
import type { Events } from '@millrace/delivery';
import type { Receipt } from '../model/receipt.js';
import { assertOnlyParts, type Composer, type MessageInput } from './composer.js';
import type { Publication, PublicationListener } from './publication.js';
import type { Publisher } from './publisher.js';
import { emitPublished } from './emit-published.js';

/** The messages of one call: collects their receipts. */
export class PublishRequest implements PublicationListener {
  readonly #events: Events;
  readonly #messages: readonly MessageInput[];
  readonly #receipts: Receipt[];
  #missing: number;
  #error: { readonly error: unknown } | undefined;
  readonly #resolve: (receipts: Receipt[]) => void;
  readonly #reject: (error: unknown) => void;

  /** Sends messages in order. @throws the first error, when every message has its receipt or error */
  static run(publisher: Publisher, composer: Composer, messages: readonly MessageInput[]): Promise<Receipt[]> {
    if (messages.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const request = new PublishRequest(publisher.events, messages, resolve, reject);
      // An invalid message throws here, before the first is sent.
      const bodies = composer.encodeTogether(messages);
      const publications: Publication[] = [];
      let wrong: InvalidItems | undefined;
      for (const [index, message] of messages.entries()) {
        try {
          assertOnlyParts(message);
          publications.push(composer.compose(message, request, { index, encoded: bodies?.[index] }));
        } catch (error) {
          wrong ??= new InvalidItems();
          wrong.add(placeOf(message, index), error);
        }
      }
      if (wrong !== undefined) throw wrong.error();
      request.#send(publisher, publications, 0);
    });
  }

  private constructor(
    events: Events,
    messages: readonly MessageInput[],
    resolve: (receipts: Receipt[]) => void,
    reject: (error: unknown) => void,
  ) {
    this.#events = events;
    this.#messages = messages;
    this.#receipts = new Array(messages.length);
    this.#missing = messages.length;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  confirmed(receipt: Receipt, index: number): void {
    this.#receipts[index] = receipt;
    emitPublished(this.#events, this.#exchangeOf(index), receipt);
    this.#ended();
  }

  failed(error: unknown, index: number): void {
    emitPublished(this.#events, this.#exchangeOf(index), undefined, isInstance(error, UnroutableError));
    this.#error ??= { error };
    this.#ended();
  }

  /** Continues as long as there is room, and again when there is room. */
  #send(publisher: Publisher, publications: readonly Publication[], from: number): void {
    for (let index = from; index < publications.length; index++) {
      const publication = publications[index];
      if (publication === undefined) return;
      const waiting = publisher.send(publication);
      if (waiting === undefined) continue;
      waiting.then(
        () => this.#send(publisher, publications, index + 1),
        (error: unknown) => {
          for (const unsent of publications.slice(index)) unsent.fail(error);
        },
      );
      return;
    }
  }

  #exchangeOf(index: number): string {
    return this.#messages[index]?.exchange ?? '';
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
