import { parseBatch } from '../model/record-batch.js';
import type { Anchor } from '../store/commit.js';
import type { StoredBatch } from '../store/read.js';

const fewMarks = 64;

/** Two batches that are kept are at least this fraction of the distance back to them apart, if there were others between them. */
const coarseness = 1 / 16;

/**
 * A sample of the batches that were read: finds up to where a log that was truncated still holds what was read. The older they are, the
 * fewer are kept: some hundreds are enough for millions of records.
 */
export class ReadTrail {
  readonly #beganAt: number;
  #marks: Anchor[] = [];
  #enough = fewMarks;

  #last: Anchor | undefined;

  /** @param beganAt the offset at which the read began */
  constructor(beganAt: number) {
    this.#beganAt = beganAt;
  }

  /** The last batch that was read. */
  get last(): Anchor | undefined {
    return this.#last;
  }

  /** This batch was read. */
  set({ endOffset, nonce }: Anchor): void {
    this.#last = { endOffset, nonce };
    this.#marks.push(this.#last);
    if (this.#marks.length > this.#enough) this.#thin();
  }

  /** Whether a batch whose first record is `first` belongs to the log that was read so far. */
  isFollowedBy({ previousNonce }: StoredBatch, first: number): boolean {
    if (this.#last === undefined) return true;
    const { endOffset, nonce } = this.#last;
    // Retention removed what was between.
    if (first > endOffset) return true;
    return nonce === undefined || previousNonce === undefined || nonce === previousNonce;
  }

  /** Whether a batch may belong to the log that was read so far. One that cannot be read may: decoding it reports why. */
  leadsTo(batch: StoredBatch): boolean {
    if (this.#last === undefined || this.#last.nonce === batch.previousNonce) return true;
    try {
      return this.isFollowedBy(batch, batch.endOffset - parseBatch(batch.frame).count);
    } catch {
      return true;
    }
  }

  /**
   * The end of the newest of these batches that the log holds; where the read began if it holds none. Drops those that it lost.
   *
   * @param find the batch that ends at an offset
   */
  async newestKept(find: (endOffset: number) => Promise<Anchor | undefined>): Promise<number> {
    for (let mark = this.#marks.at(-1); mark !== undefined; mark = this.#marks.at(-1)) {
      const found = await find(mark.endOffset);
      if (found !== undefined && found.nonce === mark.nonce) {
        this.#last = mark;
        return mark.endOffset;
      }
      this.#marks.pop();
    }
    this.#last = undefined;
    return this.#beganAt;
  }

  #thin(): void {
    const kept: Anchor[] = [];
    const newest = this.#marks.at(-1)?.endOffset ?? 0;
    for (const [index, mark] of this.#marks.entries()) {
      const gap = (this.#marks[index + 1]?.endOffset ?? Infinity) - (kept.at(-1)?.endOffset ?? -Infinity);
      if (gap > (newest - mark.endOffset) * coarseness) kept.push(mark);
    }
    this.#marks = kept;
    this.#enough = Math.max(fewMarks, 2 * kept.length);
  }
}
