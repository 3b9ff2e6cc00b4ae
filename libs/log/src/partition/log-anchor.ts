import type { RedisClient } from '@millrace/redis';
import { partitionKeys } from '../store/keys.js';
import type { GroupPartition } from '../store/lease.js';
import { partitionState } from '../store/partition.js';
import { entryAt, type StoredBatch } from '../store/read.js';

const comparedBytes = 64;

/**
 * Remembers the last batch that was read. After a failover or a restart of Redis the log may have lost its tail and grown
 * another one with the same offsets: the batch at the same place is then another.
 */
export class LogAnchor {
  #endOffset = -1;
  #length = 0;
  #head: Buffer = Buffer.alloc(0);

  set({ endOffset, frame }: StoredBatch): void {
    this.#endOffset = endOffset;
    this.#length = frame.length;
    this.#head = Buffer.from(frame.subarray(0, comparedBytes));
  }

  /** Where the log ends, if what was read is not in it any more; undefined when all is well. */
  async lostTail(client: RedisClient, { prefix, topic, partition }: GroupPartition): Promise<number | undefined> {
    if (this.#endOffset < 0) return undefined;
    const keys = partitionKeys(prefix, topic, partition);
    const entry = await entryAt(client, keys, this.#endOffset);
    const isSame = entry?.length === this.#length && entry.subarray(0, comparedBytes).equals(this.#head);
    if (isSame) return undefined;
    const state = await partitionState(client, keys);
    // Retention may have removed it since, which is no loss.
    if (entry === undefined && state !== undefined && state.start >= this.#endOffset) return undefined;
    return state?.end ?? 0;
  }
}
