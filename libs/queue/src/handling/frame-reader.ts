import { CodecError } from '@millrace/core';
import { decodeFrame, isOfNewerVersion, type StoredMessage } from '../model/message-frame.js';
import { isRequest } from '../model/reply-target.js';
import type { HandlingContext } from './handling-context.js';
import type { HeldMessage } from './held-message.js';
import type { Settler } from './settler.js';

/** How long a message that only another process can read waits until it is delivered again. */
const unreadDelayMs = 1000;

/** Reads the frames of messages that a consumer holds. */
export class FrameReader {
  readonly #queue: string;
  readonly #context: Pick<HandlingContext, 'codecs' | 'labels' | 'failed'>;
  readonly #settler: Pick<Settler, 'settle'>;
  /** Why messages were left to other processes: each reason is reported once. */
  readonly #reported = new Set<string>();

  constructor(
    queue: string,
    context: Pick<HandlingContext, 'codecs' | 'labels' | 'failed'>,
    settler: Pick<Settler, 'settle'>,
  ) {
    this.#queue = queue;
    this.#context = context;
    this.#settler = settler;
  }

  /**
   * Undefined when it is not a message: then it is parked, since such bytes can go through no exchange. One of a newer version, or of an unknown codec, is given back without
   * counting an attempt: another process can read it, or this one after an upgrade. A request is not held back: its requester
   * gets the error.
   */
  read(held: HeldMessage): StoredMessage | undefined {
    try {
      const message = decodeFrame(held.frame, this.#queue);
      held.message = message;
      if (this.#context.codecs.has(message.codecId) || isRequest(message)) return message;
      this.#leave(held, unknownCodec(message.codecId));
    } catch (error) {
      if (isOfNewerVersion(held.frame)) this.#leave(held, error);
      else this.#settler.settle(held, { kind: 'park', reason: 'undecodable', error }, this.#context.labels);
    }
    return undefined;
  }

  #leave(held: HeldMessage, error: unknown): void {
    const { labels } = this.#context;
    this.#settler.settle(held, { kind: 'retry', delayMs: unreadDelayMs, countsAsAttempt: false, error }, labels);
    const why = String(error);
    if (!this.#reported.has(why)) this.#context.failed(error);
    this.#reported.add(why);
  }
}

function unknownCodec(id: number): CodecError {
  return new CodecError(
    `a message was written with codec ${id}, which this process does not know: add it to \`codecs\`.`,
  );
}
