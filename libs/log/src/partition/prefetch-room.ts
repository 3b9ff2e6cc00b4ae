import type { PartitionBuffer } from './partition-buffer.js';

/** How much one partition may hold in memory. */
export interface PrefetchShare {
  readonly records: number;
  readonly bytes: number;
}

/** How much more of a partition may be read, given what is in memory and how far reading is ahead of what is done. */
export class PrefetchRoom {
  readonly #buffer: PartitionBuffer;
  readonly #reading: { readonly position: number };
  readonly #offsets: { readonly frontier: number };
  readonly #maxUncommittedRecords: number;
  #isFull = false;
  /** How much may be held, as of the last call. */
  #share: PrefetchShare = { records: 0, bytes: 0 };

  constructor(
    buffer: PartitionBuffer,
    reading: { readonly position: number },
    offsets: { readonly frontier: number },
    maxUncommittedRecords: number,
  ) {
    this.#buffer = buffer;
    this.#reading = reading;
    this.#offsets = offsets;
    this.#maxUncommittedRecords = maxUncommittedRecords;
  }

  /** How many batches there is room for; 0 when it is full. */
  batches(share: PrefetchShare): number {
    this.#share = share;
    const { records, bytes } = share;
    const window = this.#maxUncommittedRecords - this.#ahead;
    this.#isFull = this.#buffer.records >= records || this.#buffer.bytes >= bytes || window <= 0;
    if (this.#isFull) return 0;
    const room = Math.min(records - this.#buffer.records, window);
    return this.#buffer.batchesFor(room, bytes - this.#buffer.bytes);
  }

  /** Called when something is finished: true when it was full, and half of its share is free again. */
  reopens(): boolean {
    if (!this.#isFull) return false;
    const { records, bytes } = this.#share;
    if (this.#buffer.records > records / 2 || this.#buffer.bytes > bytes / 2) return false;
    if (this.#ahead > (this.#maxUncommittedRecords * 3) / 4) return false;
    this.#isFull = false;
    return true;
  }

  get #ahead(): number {
    return this.#reading.position - this.#offsets.frontier;
  }
}
