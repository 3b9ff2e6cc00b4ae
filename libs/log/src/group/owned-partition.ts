import type { TopicPartition } from '../model/topic-partition.js';
import type { PartitionWorker } from '../partition/partition-worker.js';

/** A partition that a consumer owns, and its progress. */
export interface OwnedPartition extends TopicPartition {
  /** Grows with each change of the partition's owner: a fencing token. */
  readonly epoch: number;
  /** The committed offset, as far as Redis confirmed it. */
  readonly committed: number;
  /** The next offset to be read. */
  readonly position: number;
  /** Whether `pause` holds it back. */
  readonly isPaused: boolean;
  /** Why only a newer process can read the record batch at `position`; the partition is stopped until then. */
  readonly unreadable: string | undefined;
}

/** A worker's progress. */
export function ownedPartition({
  topic,
  partition,
  epoch,
  position,
  offsets,
  holds,
  intake,
}: PartitionWorker): OwnedPartition {
  const isPaused = holds.has('paused') || holds.has('stuck');
  return {
    topic,
    partition,
    epoch,
    committed: offsets.confirmed,
    position,
    isPaused,
    unreadable: intake.standstill.why,
  };
}
