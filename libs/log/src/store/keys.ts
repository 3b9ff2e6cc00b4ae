import { escapeName } from '@millrace/core';
import type { TopicPartition } from '../model/topic-partition.js';

/**
 * Every key of the log. The hash tag is written only here: all keys of one partition share a slot of a
 * cluster, so each script runs on one node. Names in keys are encoded by `escapeName`. See docs/keyspace.md for their contents.
 */
export interface PartitionKeys {
  /** Stream: one entry per record batch, entry id `0-<end offset after the batch>`. Its groups hold the committed offsets. */
  readonly records: string;
  /** Hash: `id`, `version` (of the topic), `end`, `start` (offsets), `bytes` (of batches), `time` (highest timestamp). */
  readonly meta: string;
  /** Hash: producer id → its last appends, so that a repeated batch is recognised. */
  readonly producers: string;
  /** Hash: group → how many records retention removed before the group had read them. */
  readonly expired: string;
  /** Set: the sources of records that were copied into this partition: the suffixes of its `copies` keys. */
  readonly sources: string;
  /** String with a time to live: the process that does the partition's upkeep at present. */
  readonly upkeep: string;
  /** Stream with a time to live: what `records` will be, while it is made again without foreign entries. */
  readonly rebuilt: string;
}

/** The keys of one partition, all in one slot of a cluster. See docs/keyspace.md. */
export function partitionKeys(prefix: string, topic: string, partition: number): PartitionKeys {
  const base = partitionBase(prefix, topic, partition);
  return {
    records: `${base}:records`,
    meta: `${base}:meta`,
    producers: `${base}:producers`,
    expired: `${base}:expired`,
    sources: `${base}:sources`,
    upkeep: `${base}:upkeep`,
    rebuilt: `${base}:rebuilt`,
  };
}

/** Hash in a partition's slot: one group's lease on the partition (`owner`, `epoch`, `until`) and the data of its commit. */
export function groupPartitionKey(prefix: string, topic: string, partition: number, group: string): string {
  return `${partitionBase(prefix, topic, partition)}:group:${escapeName(group)}`;
}

/** Hash: topic name → its settings as JSON. */
export function topicsKey(prefix: string): string {
  return `${prefix}:{topology}:topics`;
}

/** Counter: the last topic id. A topic that is deleted and declared again gets a new id. */
export function topicIdsKey(prefix: string): string {
  return `${prefix}:{topology}:topic-ids`;
}

/** The keys of one consumer group, in its own slot. */
export interface GroupKeys {
  /** Sorted set: member id → when its session ends, in ms by Redis's clock. */
  readonly members: string;
  /** Hash: member id → its incarnation, a space, and its subscription as JSON. */
  readonly subscriptions: string;
  /** Hash: member id → its connections and their servers, as JSON. */
  readonly presence: string;
  /** Hash: `version` (grows with each change of members), `generation` (of the plan), `plan` (JSON). */
  readonly state: string;
  /** String with a time to live: an operator changes the group's offsets, so no member may join. */
  readonly locked: string;
}

/** The keys of a group's members and plan, all in one slot of a cluster. See docs/keyspace.md. */
export function groupKeys(prefix: string, group: string): GroupKeys {
  const base = `${prefix}:{group:${escapeName(group)}}`;
  return {
    members: `${base}:members`,
    subscriptions: `${base}:subscriptions`,
    presence: `${base}:presence`,
    state: `${base}:state`,
    locked: `${base}:locked`,
  };
}

/** Set: the names of all consumer groups. */
export function groupsKey(prefix: string): string {
  return `${prefix}:{topology}:groups`;
}

/**
 * Sorted set in a partition's slot: offsets of `source` that were copied into this partition (dead letters, and
 * dead letters sent back), so that each is copied once. `source`: of {@link deadLetterSource} or {@link redriveSource}.
 */
export function copiesKey(prefix: string, topic: string, partition: number, source: string): string {
  return `${partitionBase(prefix, topic, partition)}:copies:${source}`;
}

/** The source of the dead letters that a group gave up in a partition, as a key suffix. */
export function deadLetterSource(group: string, { topic, partition }: TopicPartition): string {
  // A group may have the same name as the other sources' prefix.
  const name = group === redrive ? `%72${redrive.slice(1)}` : escapeName(group);
  return `${name}:${escapeName(topic)}:${partition}`;
}

/** The source of dead letters that are sent back from a partition of a dead-letter topic, as a key suffix. */
export function redriveSource({ topic, partition }: TopicPartition): string {
  return `${redrive}:${escapeName(topic)}:${partition}`;
}

const redrive = 'redrive';

function partitionBase(prefix: string, topic: string, partition: number): string {
  return `${prefix}:{log:${escapeName(topic)}:${partition}}`;
}
