import { CodecError, type CodecRegistry, type Headers } from '@millrace/core';
import type { Death } from './model/death.js';
import { decodeFrame, type StoredMessage, type StoredProperties } from './model/message-frame.js';

/** A message in a queue, read without taking it. */
export class QueuedMessage<T = unknown> {
  /** Its unique name in this queue: pass it to cancel, edit or redrive exactly this message. */
  readonly id: string;
  readonly #message: StoredMessage;
  readonly #codecs: CodecRegistry;

  /** @throws {CodecError} its frame cannot be read */
  constructor(queue: string, entry: string, frame: Buffer, codecs: CodecRegistry) {
    this.id = entry;
    this.#message = decodeFrame(frame, queue);
    this.#codecs = codecs;
  }

  /** The id it was published with. */
  get messageId(): string {
    return this.#message.id ?? this.id;
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

  /** `correlationId`, `replyTo`, `type`, `expirationMs`, where the publisher set them. */
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

  /** Its deaths, newest first; empty if it never died. */
  get deaths(): readonly Death[] {
    return this.#message.deaths;
  }

  /** The body as it was sent. */
  get body(): Buffer {
    return this.#message.body;
  }

  /** The body decoded, not validated. @throws {CodecError} when it cannot be decoded */
  payload(): T {
    return this.#codecs.get(this.#message.codecId).decode(this.#message.body) as T;
  }

  /** All its stored fields. */
  stored(): StoredMessage {
    return this.#message;
  }
}

/** A message whose frame cannot be read: it is damaged, or a newer version of Millrace wrote it. */
export interface UnreadableMessage {
  /** Its unique name in this queue: pass it to `remove()`, or to `deadLetters.purge({ ids })`. */
  readonly id: string;
  /** Why it cannot be read. */
  readonly error: CodecError;
}

/** Reads messages as they are stored. One that cannot be read does not hide the others. */
export function readMessages<S extends { readonly id: string; readonly frame: Buffer }, T>(
  queue: string,
  found: readonly S[],
  codecs: CodecRegistry,
): {
  readonly messages: { readonly stored: S; readonly message: QueuedMessage<T> }[];
  readonly unreadable: UnreadableMessage[];
} {
  const messages: { stored: S; message: QueuedMessage<T> }[] = [];
  const unreadable: UnreadableMessage[] = [];
  for (const stored of found) {
    try {
      messages.push({ stored, message: new QueuedMessage<T>(queue, stored.id, stored.frame, codecs) });
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      unreadable.push({ id: stored.id, error });
    }
  }
  return { messages, unreadable };
}
