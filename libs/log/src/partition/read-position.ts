import { type EntryPlace, isNextBatch, type ReadSoFar } from '../model/entry-chain.js';
import type { Anchor } from '../store/commit.js';

/**
 * The position of the reading of a partition, and which entry of its stream comes next. After a failover or a restart of Redis the log
 * may be truncated, and have other records at the same offsets: Kafka's clients detect this by the leader's epoch (KIP-320), we by
 * the nonce that each append has and the next batch names.
 */
export class ReadPosition {
  #last: Anchor | undefined;
  #position: number;
  /** Past the position while entries are skipped that do not belong to the log. */
  #readFrom: number;
  /** The end of an entry that is known to belong to the log, whatever its frame claims. */
  #acceptedEnd: number | undefined;
  /** Up to here entries may lack the fields that older versions did not write. */
  #knownEnd = 0;

  constructor(position: number) {
    this.#position = position;
    this.#readFrom = position;
  }

  /** The next offset. */
  get position(): number {
    return this.#position;
  }

  /** Where to fetch from. */
  get readFrom(): number {
    return this.#readFrom;
  }

  /** The last batch that was read, which a commit verifies; undefined when none was since the last move. */
  get anchor(): Anchor | undefined {
    return this.#last;
  }

  get readSoFar(): ReadSoFar {
    return { position: this.#position, nonce: this.#last?.nonce, isInside: this.#last !== undefined };
  }

  /** Whether an entry with `count` records comes next; undefined: the count cannot be read. */
  isNext(entry: EntryPlace, count: number | undefined): boolean {
    if (entry.endOffset === this.#acceptedEnd) return true;
    const read = this.readSoFar;
    if (isNextBatch(entry, count, read)) return true;
    const isOld = entry.nonce === undefined && read.nonce === undefined && entry.endOffset <= this.#knownEnd;
    return isOld && count !== undefined && entry.endOffset - count === read.position;
  }

  /** A batch was read. */
  take({ endOffset, nonce }: EntryPlace): void {
    this.#last = { endOffset, nonce };
    this.#position = endOffset;
    this.#readFrom = endOffset;
  }

  /** The entry that ends there belongs to the log, as do entries without nonces up to `logEnd`. */
  acceptNext(endOffset: number, logEnd: number): void {
    this.#acceptedEnd = endOffset;
    this.#knownEnd = logEnd;
  }

  /** Entries that end before this offset are skipped. */
  skipTo(endOffset: number): void {
    this.#readFrom = endOffset - 1;
  }

  /** Reading continues at another position. */
  moveTo(position: number): void {
    this.#last = undefined;
    this.#position = position;
    this.#readFrom = position;
    this.#acceptedEnd = undefined;
  }
}
