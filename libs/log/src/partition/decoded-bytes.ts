import { cursorOf, isCompressedFrame } from '../model/batch-compression.js';
import type { RecordCursor } from '../model/record-cursor.js';
import type { FetchedBatch } from './fetched-batch.js';
import type { HeldBatch } from './record-context.js';

/**
 * What compressed batches have grown to, over all partitions that a Log's consumers own: a few MB in Redis may be GB in a process.
 * While more is held than the limit nothing more is decoded; one batch always may be. So there is at most the limit and one batch,
 * which is bounded itself.
 */
export class DecodedBytes {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #held = 0;

  /** @param limit in bytes, at least 1 */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that are held. */
  get held(): number {
    return this.#held;
  }

  /** Whether another batch may be decoded; if not, `retry` is called when one may. */
  admits(retry: () => void): boolean {
    if (this.#held < this.#limit) return true;
    this.#waiting.add(retry);
    return false;
  }

  take(bytes: number): void {
    this.#held += bytes;
  }

  give(bytes: number): void {
    this.#held -= bytes;
    if (this.#held >= this.#limit || this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const retry of waiting) retry();
  }
}

/** What one partition holds of it. The `bytes` of a batch tell what it takes in all. */
export class DecodedShare {
  readonly #all: DecodedBytes;
  readonly #retry: () => void;
  readonly #bytes = new Map<HeldBatch, number>();

  /** @param retry called when a batch may be decoded that was refused */
  constructor(all: DecodedBytes, retry: () => void) {
    this.#all = all;
    this.#retry = retry;
  }

  /** Whether the records of a batch may be looked at. */
  admits({ frame, cursor }: FetchedBatch): boolean {
    return cursor !== undefined || !isCompressedFrame(frame) || this.#all.admits(this.#retry);
  }

  has(batch: HeldBatch): boolean {
    return this.#bytes.has(batch);
  }

  /** @throws {CodecError} its bytes are damaged, or become too many */
  decode(batch: FetchedBatch): RecordCursor {
    const cursor = cursorOf(batch.frame, batch.end, batch.timestamp);
    if (!isCompressedFrame(batch.frame)) return cursor;
    // As text it is there a second time.
    const bytes = cursor.body.length * (cursor.text === undefined ? 1 : 2);
    this.#bytes.set(batch, bytes);
    batch.bytes += bytes;
    this.#all.take(bytes);
    return cursor;
  }

  /** What was decoded of a batch is needed no more. */
  drop(batch: HeldBatch): void {
    const bytes = this.#bytes.get(batch);
    if (bytes === undefined) return;
    this.#bytes.delete(batch);
    batch.bytes -= bytes;
    this.#all.give(bytes);
  }

  /** The same of all batches. Returns how many bytes that were. */
  clear(): number {
    const bytes = [...this.#bytes.values()].reduce((sum, one) => sum + one, 0);
    for (const batch of [...this.#bytes.keys()]) this.drop(batch);
    return bytes;
  }
}
