import { cursorOf, isCompressedFrame } from '../model/batch-compression.js';
import type { RecordCursor } from '../model/record-cursor.js';
import type { FetchedBatch } from './fetched-batch.js';
import type { BufferedBatch } from './record-task.js';

/**
 * The memory of decompressed batches, over all partitions that a Log's consumers own: a few MB in Redis may be GB in a process.
 * While the limit is reached no further batch is decoded; one always may be. So the total is at most the limit plus one batch,
 * whose size is limited itself.
 */
export class DecodedBytes {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #held = 0;

  /** @param limit in bytes, at least 1 */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes of all decompressed batches. */
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

/** The part of one partition. The `bytes` of a batch are its total. */
export class DecodedShare {
  readonly #all: DecodedBytes;
  readonly #retry: () => void;
  readonly #bytes = new Map<BufferedBatch, number>();

  /** @param retry called when a batch that was refused may be decoded */
  constructor(all: DecodedBytes, retry: () => void) {
    this.#all = all;
    this.#retry = retry;
  }

  /** Whether the records of a batch may be decoded. */
  admits({ frame, cursor }: FetchedBatch): boolean {
    return cursor !== undefined || !isCompressedFrame(frame) || this.#all.admits(this.#retry);
  }

  has(batch: BufferedBatch): boolean {
    return this.#bytes.has(batch);
  }

  /** @throws {CodecError} its bytes are damaged, or too many when decompressed */
  decode(batch: FetchedBatch): RecordCursor {
    const cursor = cursorOf(batch.frame, batch.end, batch.timestamp);
    if (!isCompressedFrame(batch.frame)) return cursor;
    // The string is a second copy.
    const bytes = cursor.body.length * (cursor.text === undefined ? 1 : 2);
    this.#bytes.set(batch, bytes);
    batch.bytes += bytes;
    this.#all.take(bytes);
    return cursor;
  }

  /** The decoded body of a batch is no longer needed. */
  drop(batch: BufferedBatch): void {
    const bytes = this.#bytes.get(batch);
    if (bytes === undefined) return;
    this.#bytes.delete(batch);
    batch.bytes -= bytes;
    this.#all.give(bytes);
  }

  /** Drops all batches. Returns their bytes. */
  clear(): number {
    const bytes = [...this.#bytes.values()].reduce((sum, one) => sum + one, 0);
    for (const batch of [...this.#bytes.keys()]) this.drop(batch);
    return bytes;
  }
}
