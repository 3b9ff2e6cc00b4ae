import type { GroupOffset, PartitionSnapshot, Snapshot, TopicSnapshot } from '@millrace/admin';
import type { Series } from './pulled-metrics.js';

/** One group on one partition. */
export interface ConsumedPartition {
  readonly topic: TopicSnapshot['topic'];
  readonly partition: PartitionSnapshot;
  readonly offset: GroupOffset;
}

/** Cached, since a dozen metrics of one scrape read the same series. */
const consumed = new WeakMap<Snapshot, readonly ConsumedPartition[]>();

/** Every group on every partition where it has an offset. */
export function consumedPartitions(snapshot: Snapshot): readonly ConsumedPartition[] {
  const known = consumed.get(snapshot);
  if (known !== undefined) return known;
  const found = snapshot.topics.flatMap(({ topic, partitions }) =>
    partitions.flatMap((partition) => partition.groups.map((offset) => ({ topic, partition, offset }))),
  );
  consumed.set(snapshot, found);
  return found;
}

/** One value per partition or, without that detail, per topic. */
export function byPartition(
  { topics }: Snapshot,
  isDetailed: boolean,
  value: (partition: PartitionSnapshot) => number,
): Series[] {
  return topics.flatMap(({ topic, partitions }) => {
    if (partitions.length === 0) return [];
    if (!isDetailed) return [{ labels: { topic: topic.name }, value: sum(partitions.map(value)) }];
    return partitions.map((partition) => ({
      labels: { topic: topic.name, partition: String(partition.partition) },
      value: value(partition),
    }));
  });
}

/** One value per group and partition or, without that detail, per group and topic, computed by `combine`. */
export function byGroupPartition(
  consumed: readonly ConsumedPartition[],
  isDetailed: boolean,
  value: (each: ConsumedPartition) => number,
  combine: (values: readonly number[]) => number,
): Series[] {
  if (isDetailed) {
    return consumed.map((each) => ({
      labels: {
        consumergroup: each.offset.group,
        topic: each.topic.name,
        partition: String(each.partition.partition),
      },
      value: value(each),
    }));
  }
  return byGroupTopic(consumed).map(({ group, topic, members }) => ({
    labels: { consumergroup: group, topic },
    value: combine(members.map(value)),
  }));
}

/** The partitions of each group on each topic, grouped. */
export function byGroupTopic(
  consumed: readonly ConsumedPartition[],
): { readonly group: string; readonly topic: string; readonly members: ConsumedPartition[] }[] {
  const found = new Map<string, { group: string; topic: string; members: ConsumedPartition[] }>();
  for (const each of consumed) {
    const { group } = each.offset;
    const { name } = each.topic;
    const key = `${group}\n${name}`;
    const entry = found.get(key) ?? { group, topic: name, members: [] };
    entry.members.push(each);
    found.set(key, entry);
  }
  return [...found.values()];
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

// Not spread into Math.max: a topic may have thousands of partitions.
export function highest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
}

export function lowest(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
}
