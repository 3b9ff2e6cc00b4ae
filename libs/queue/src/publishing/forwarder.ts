import { encodeFrame, type FrameInput } from '../model/message-frame.js';
import type { Receipt } from '../model/receipt.js';
import { type LineOrder, messageTerms } from '../store/publish.js';
import { Publication } from './publication.js';
import { PublicationTarget } from './publication-target.js';
import type { Publisher } from './publisher.js';

/** A message that is in Redis already and moves to another place: a dead letter, or one that is sent back. */
export interface ForwardedMessage {
  /** See `entryAfter`. */
  readonly entry: string;
  readonly message: FrameInput;
  /** The line and slot it belongs to; undefined: none, and a repetition is recognised for ten minutes. */
  readonly line?: (LineOrder & { readonly source: string }) | undefined;
  /** Straight into this queue, which must exist. Default: to its exchange, by its routing key. */
  readonly toQueue?: string | undefined;
}

/**
 * Publishes messages unchanged, without decoding them. Repeating one has no effect: its entry is remembered, for a line as long as its
 * source may repeat it.
 */
export class Forwarder {
  readonly #publisher: Publisher;

  constructor(publisher: Publisher) {
    this.#publisher = publisher;
  }

  forward({ entry, message, toQueue, line }: ForwardedMessage): Promise<Receipt> {
    const { id, headers, priority, properties, timestamp, body } = message;
    const exchange = toQueue === undefined ? message.exchange : '';
    const routingKey = toQueue ?? message.routingKey;
    const terms = messageTerms({
      priority,
      delayMs: undefined,
      expirationMs: properties.expirationMs,
      hasId: id !== undefined,
      line,
    });
    const { correlationId, shardKey } = properties;
    const facts = { messageId: id, headers, correlationId, shardKey };
    const isSentToQueue = toQueue !== undefined;
    const target = new PublicationTarget({ exchange, routingKey, body }, facts, timestamp, isSentToQueue, line?.source);
    const frame = encodeFrame(message, exchange === '' ? routingKey : undefined);
    return new Promise((resolve, reject) => {
      const caller = { deadlineMs: this.#publisher.deadlineMs, confirmed: resolve, failed: reject };
      const publication = new Publication(entry, frame, terms, target, caller, 0);
      this.#publisher.send(publication)?.catch(reject);
    });
  }
}
