import type { Fifo } from '@millrace/core';
import type { Taken } from '../store/taken.js';
import type { BufferShare } from './buffer-shares.js';
import type { Dispatcher } from './dispatcher.js';
import type { MessageBuffer } from './message-buffer.js';
import type { ShardOrigin } from './shard-origin.js';

/** What the buffer of a shard is made of. */
export interface ShardBufferParts {
  readonly origin: ShardOrigin;
  /** Everything that the consumer holds. */
  readonly buffer: MessageBuffer;
  readonly dispatcher: Pick<Dispatcher, 'begin'>;
  readonly share: BufferShare;
  /** Messages were taken. */
  delivered(messages: Fifo<Taken>): void;
}

/** What a consumer holds of one shard, and may take from it: turns are made for it. */
export class ShardBuffer {
  readonly #parts: ShardBufferParts;
  #isClosed = false;

  constructor(parts: ShardBufferParts) {
    this.#parts = parts;
  }

  wanted(): number {
    return this.#parts.share.wanted();
  }

  get maxBytes(): number | undefined {
    return this.#parts.buffer.budget.maxBytes;
  }

  get fetchSize(): number {
    return this.#parts.buffer.budget.fetchSize;
  }

  get mayAskAhead(): boolean {
    return this.#parts.origin.isOnly && this.#parts.buffer.budget.mayAskAhead;
  }

  /** Holds messages; what a turn brings after `close` is given back, the first one last. */
  take(messages: Fifo<Taken>): void {
    const { buffer, origin, share, delivered } = this.#parts;
    delivered(messages);
    share.served();
    if (!this.#isClosed) buffer.add(origin, messages);
    else
      for (const { id, frame } of messages.take(messages.size).reverse())
        origin.outbox.settle({ kind: 'release', id, priority: frame[1] ?? 0 });
  }

  begin(): void {
    this.#parts.dispatcher.begin();
  }

  ids(): Set<string> {
    const { buffer, origin } = this.#parts;
    return new Set(buffer.all().flatMap((held) => (held.origin === origin ? held.id : [])));
  }

  get count(): number {
    return this.#parts.buffer.countFrom(this.#parts.origin);
  }

  /** Holds nothing more. */
  close(): void {
    this.#isClosed = true;
  }
}
