import type { Anchor } from '../store/commit.js';
import type { StoredBatch } from '../store/read.js';

/**
 * Remembers the last batch that was read, up to which a commit may answer for the log. After a failover or a restart of
 * Redis the log may have lost its tail and grown another one with the same offsets: Kafka's clients tell by the leader's
 * epoch (KIP-320), we by the nonce that each append has, and that the next batch names.
 */
export class LogAnchor {
  #last: Anchor | undefined;

  /** Undefined while nothing was read since the last leap. */
  get last(): Anchor | undefined {
    return this.#last;
  }

  /** This batch was read. */
  set({ endOffset, nonce }: Anchor): void {
    this.#last = { endOffset, nonce };
  }

  /** Reading goes on elsewhere: what comes next need not follow what came before. */
  forget(): void {
    this.#last = undefined;
  }

  /** Whether a batch whose first record is `first` belongs to the log that was read so far. */
  isFollowedBy({ previousNonce }: StoredBatch, first: number): boolean {
    if (this.#last === undefined) return true;
    const { endOffset, nonce } = this.#last;
    // Retention removed what was between: its commit will tell.
    if (first > endOffset) return true;
    // Without them somebody else wrote it, whose word about where it begins counts for nothing.
    return nonce === undefined || previousNonce === undefined || nonce === previousNonce;
  }
}
