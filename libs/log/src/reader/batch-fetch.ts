import type { RedisClient, RedisConnection } from '@millrace/redis';
import { idempotently } from '../idempotent-call.js';
import type { PartitionKeys } from '../store/keys.js';
import { readBatches, type StoredBatch } from '../store/read.js';

const targetBytes = 1024 * 1024;
const maxBatches = 500;
const blockMs = 1000;

/** Reads the batches of one partition in portions of about a megabyte, whatever the size of a batch. */
export class BatchFetch {
  readonly #connection: RedisConnection;
  readonly #keys: PartitionKeys;
  readonly #maxOutageMs: number;
  #batchBytes = 64 * 1024;
  #blocking: RedisClient | undefined;

  constructor(connection: RedisConnection, keys: PartitionKeys, maxOutageMs: number) {
    this.#connection = connection;
    this.#keys = keys;
    this.#maxOutageMs = maxOutageMs;
  }

  /** The batches that are available now, from the one that holds `offset` on. */
  async next(offset: number): Promise<StoredBatch[]> {
    const count = this.#count();
    return this.#measured(
      await idempotently(
        this.#connection,
        `read ${this.#keys.records}`,
        (client) => readBatches(client, this.#keys, offset, { count }),
        this.#maxOutageMs,
      ),
    );
  }

  /** As `next`, but waits up to a second for a batch. Empty also when Redis was lost meanwhile: check with `next`. */
  async wait(offset: number, signal: AbortSignal | undefined): Promise<StoredBatch[]> {
    if (signal?.aborted) return [];
    const end = (): void => this.close();
    signal?.addEventListener('abort', end, { once: true });
    try {
      this.#blocking ??= await this.#connection.blocking('tail');
      return this.#measured(await readBatches(this.#blocking, this.#keys, offset, { count: this.#count(), blockMs }));
    } catch {
      return [];
    } finally {
      signal?.removeEventListener('abort', end);
    }
  }

  close(): void {
    if (this.#blocking !== undefined) this.#connection.release(this.#blocking);
    this.#blocking = undefined;
  }

  #count(): number {
    return Math.max(1, Math.min(maxBatches, Math.floor(targetBytes / this.#batchBytes)));
  }

  #measured(batches: StoredBatch[]): StoredBatch[] {
    let bytes = 0;
    for (const { frame } of batches) bytes += frame.length;
    if (batches.length > 0) this.#batchBytes = Math.max(1, bytes / batches.length);
    return batches;
  }
}
