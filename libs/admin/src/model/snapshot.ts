import type { Topic } from '@millrace/log';
import type { QueueSettings } from '@millrace/queue';

/** The state of everything under one prefix. An object that could not be read is missing: it is never reported as zero. */
export interface Snapshot {
  /** Every topic, with its partitions. */
  readonly topics: readonly TopicSnapshot[];
  /** Every consumer group that ever had a member and was not deleted. */
  readonly groups: readonly GroupSnapshot[];
  /** Every declared queue. */
  readonly queues: readonly QueueSnapshot[];
  /** The partitions, groups and queues that could not be read: a node of a cluster may be unavailable. */
  readonly unread: readonly UnreadObject[];
}

/** An object that could not be read. */
export interface UnreadObject {
  /** The object: `queue mail`. */
  readonly what: string;
  /** The message of the error, which may name hosts. */
  readonly why: string;
}

/** One topic at one moment. */
export interface TopicSnapshot {
  /** Its name and settings. */
  readonly topic: Topic;
  /** The partitions that could be read. */
  readonly partitions: readonly PartitionSnapshot[];
}

/** One partition at one moment. */
export interface PartitionSnapshot {
  /** Its number, from 0. */
  readonly partition: number;
  /** The time of the reading, in ms by Redis's clock. */
  readonly at: number;
  /** Offset of the oldest record. */
  readonly start: number;
  /** Offset of the next record that is appended. */
  readonly end: number;
  /** Bytes of all batches, as stored. */
  readonly bytes: number;
  /** Group → how many records retention removed before the group had read them. */
  readonly expiredUnread: ReadonlyMap<string, number>;
  /** The groups that have an offset here. */
  readonly groups: readonly GroupOffset[];
}

/** The position of a group on one partition. */
export interface GroupOffset {
  /** The group's name. */
  readonly group: string;
  /** The next offset to read. */
  readonly committed: number;
  /** The member that holds the lease on the partition; undefined when none does. */
  readonly owner: string | undefined;
  /** False when the lease was not read. */
  readonly isOwnerKnown: boolean;
  /** When the batch that holds the next record to read was appended, in ms since 1970; undefined when everything is read. */
  readonly nextTimestamp: number | undefined;
}

/** One group at one moment. Its offsets are in the partitions. */
export interface GroupSnapshot {
  /** Its name. */
  readonly group: string;
  /** Members whose session has not ended. */
  readonly members: number;
  /** How often partitions were reassigned since the group was created. */
  readonly generation: number;
}

/** One queue at one moment. */
export interface QueueSnapshot {
  /** Its name. */
  readonly queue: string;
  /** Its declared settings. */
  readonly settings: QueueSettings;
  /** The time of the reading, in ms by Redis's clock. */
  readonly at: number;
  /** All messages it holds, in any state. */
  readonly messages: number;
  /** Messages that wait for a consumer. */
  readonly ready: number;
  /** Messages that consumers hold. */
  readonly unacked: number;
  /** Messages that are not due yet: delayed by the publisher, or retries. */
  readonly delayed: number;
  /** Dead letters that are being carried to their destination. */
  readonly dying: number;
  /** Messages set aside: no handler matches them, or they can become no dead letter. */
  readonly parked: number;
  /** Completed messages that are kept (`keepCompleted`): not among `messages`. */
  readonly completed: number;
  /** Consumers whose lease is valid. */
  readonly consumers: number;
  /** Memory of Redis that the messages take, as `MEMORY USAGE` estimates it; undefined when the user lacks the right to read it. */
  readonly bytes: number | undefined;
  /** Whether the queue is paused: consumers get no messages from it. */
  readonly isPaused: boolean;
  /** How long the oldest message at a head of the queue has waited, in ms, since it was published or due; undefined when none waits. */
  readonly oldestAgeMs: number | undefined;
}

/** The number of records that a group has still to read on a partition, without records that were removed unread. */
export function lagOf({ start, end }: PartitionSnapshot, { committed }: GroupOffset): number {
  return Math.max(0, end - Math.max(committed, start));
}

/** How long the next record to read has waited since its append, in ms; 0 when everything is read. */
export function lagMsOf({ at }: PartitionSnapshot, { nextTimestamp }: GroupOffset): number {
  return nextTimestamp === undefined ? 0 : Math.max(0, at - nextTimestamp);
}
