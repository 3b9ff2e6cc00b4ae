import type { Topic } from '@millrace/log';
import type { QueueSettings } from '@millrace/queue';

/** What an operator sees of everything under one prefix. What could not be read is not in it: it is never zero. */
export interface Snapshot {
  /** Every topic, with its partitions. */
  readonly topics: readonly TopicSnapshot[];
  /** Every consumer group that ever had a member and was not deleted. */
  readonly groups: readonly GroupSnapshot[];
  /** Every declared queue. */
  readonly queues: readonly QueueSnapshot[];
  /** Partitions, groups and queues that Redis did not answer for, in words: a node of a cluster may be away. */
  readonly unread: readonly string[];
}

/** One topic at one moment. */
export interface TopicSnapshot {
  /** Its name and settings. */
  readonly topic: Topic;
  /** Those that could be read. */
  readonly partitions: readonly PartitionSnapshot[];
}

/** One partition at one moment. */
export interface PartitionSnapshot {
  /** Its number, from 0. */
  readonly partition: number;
  /** When this was read, in ms by Redis's clock. */
  readonly at: number;
  /** Offset of the oldest record that can be read. */
  readonly start: number;
  /** Offset that the next record will get. */
  readonly end: number;
  /** Bytes of all batches, as stored. */
  readonly bytes: number;
  /** Group → how many records retention removed before the group had read them. */
  readonly expiredUnread: ReadonlyMap<string, number>;
  /** The groups that have an offset here. */
  readonly groups: readonly GroupOffset[];
}

/** Where a group stands on one partition. */
export interface GroupOffset {
  /** The group's name. */
  readonly group: string;
  /** The next offset to read. */
  readonly committed: number;
  /** The member whose lease on the partition holds; undefined: it has none. */
  readonly owner: string | undefined;
  /** False when the lease was not looked at. */
  readonly isOwnerKnown: boolean;
  /** When the batch that holds the next record to read was appended, in ms since 1970; undefined when everything is read. */
  readonly nextTimestamp: number | undefined;
}

/** One group at one moment. How far it is on each partition stands with the partitions. */
export interface GroupSnapshot {
  /** Its name. */
  readonly group: string;
  /** Members whose session has not ended. */
  readonly members: number;
  /** How often partitions were reassigned since the group exists. */
  readonly generation: number;
}

/** One queue at one moment. */
export interface QueueSnapshot {
  /** Its name. */
  readonly queue: string;
  /** What was declared of it. */
  readonly settings: QueueSettings;
  /** When this was read, in ms by Redis's clock. */
  readonly at: number;
  /** All messages it holds, wherever they stand. */
  readonly messages: number;
  /** Waiting for a consumer. */
  readonly ready: number;
  /** Held by consumers. */
  readonly unacked: number;
  /** Held back until they are due, by the publisher or as retries. */
  readonly delayed: number;
  /** Dead letters on their way to where they go. */
  readonly dying: number;
  /** Set aside because no handler was for them. */
  readonly parked: number;
  /** Handled, and kept for people to look at (`keepCompleted`): not among `messages`. */
  readonly completed: number;
  /** Consumers whose lease holds. */
  readonly consumers: number;
  /** Memory of Redis that the messages take, as `MEMORY USAGE` estimates it; undefined when the user may not ask. */
  readonly bytes: number | undefined;
  /** Whether the queue is paused: no consumer is given its messages. */
  readonly isPaused: boolean;
  /** How long the oldest message at a head of the queue waits, since it was published or due; undefined when none waits. */
  readonly oldestAgeMs: number | undefined;
}

/** Records that a group has still to read on a partition: what was removed before it had read it is not among them. */
export function lagOf({ start, end }: PartitionSnapshot, { committed }: GroupOffset): number {
  return Math.max(0, end - Math.max(committed, start));
}

/** For how long the next record to read has been waiting since its append, in ms; 0 when everything is read. */
export function lagMsOf({ at }: PartitionSnapshot, { nextTimestamp }: GroupOffset): number {
  return nextTimestamp === undefined ? 0 : Math.max(0, at - nextTimestamp);
}
