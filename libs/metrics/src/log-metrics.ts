import { lagMsOf, lagOf } from '@millrace/admin';
import { groupStatus, statusCodes } from './model/group-status.js';
import {
  byGroupPartition,
  byGroupTopic,
  byPartition,
  type ConsumedPartition,
  consumedPartitions,
  highest,
  lowest,
  sum,
} from './partition-series.js';
import type { Sampled, SampledFamily } from './sampled-family.js';

const ofPartition = ['topic', 'partition'];
const ofGroupPartition = ['consumergroup', 'topic', 'partition'];
const ofGroupTopic = ['consumergroup', 'topic'];
const ofGroup = ['consumergroup'];

/** Topics and consumer groups. Names and labels are kafka_exporter's, with Millrace's prefix. */
export const logMetrics: readonly SampledFamily[] = [
  {
    name: 'millrace_topic_partitions',
    help: 'Partitions of a topic.',
    type: 'gauge',
    labelNames: ['topic'],
    read: ({ snapshot }) =>
      snapshot.topics.map(({ topic }) => ({ labels: { topic: topic.name }, value: topic.partitions })),
  },
  {
    name: 'millrace_topic_partition_current_offset',
    help: 'Log end offset: the offset that the next record will get. Without partition detail, the sum over the topic.',
    type: 'gauge',
    labelNames: ofPartition,
    read: ({ snapshot }, { partitions }) => byPartition(snapshot, partitions, ({ end }) => end),
  },
  {
    name: 'millrace_topic_partition_oldest_offset',
    help: 'Log start offset: the offset of the oldest record kept. Without partition detail, the sum over the topic.',
    type: 'gauge',
    labelNames: ofPartition,
    read: ({ snapshot }, { partitions }) => byPartition(snapshot, partitions, ({ start }) => start),
  },
  {
    name: 'millrace_topic_partition_bytes',
    help: 'Bytes of the record batches kept, as stored. Without partition detail, the sum over the topic.',
    type: 'gauge',
    labelNames: ofPartition,
    read: ({ snapshot }, { partitions }) => byPartition(snapshot, partitions, ({ bytes }) => bytes),
  },
  {
    name: 'millrace_consumergroup_current_offset',
    help: 'Committed offset: the next offset the group will read. Without partition detail, the sum over the topic.',
    type: 'gauge',
    labelNames: ofGroupPartition,
    read: ({ snapshot }, { partitions }) =>
      byGroupPartition(consumedPartitions(snapshot), partitions, ({ offset }) => offset.committed, sum),
  },
  {
    name: 'millrace_consumergroup_lag',
    help: 'Records a group has still to read: end offset minus committed offset, without records removed unread. Without partition detail, the sum over the topic.',
    type: 'gauge',
    labelNames: ofGroupPartition,
    read: ({ snapshot }, { partitions }) => byGroupPartition(consumedPartitions(snapshot), partitions, lagIn, sum),
  },
  {
    name: 'millrace_consumergroup_lag_sum',
    help: 'Records a group has still to read, over all partitions of a topic.',
    type: 'gauge',
    labelNames: ofGroupTopic,
    read: ({ snapshot }) => byGroupPartition(consumedPartitions(snapshot), false, lagIn, sum),
  },
  {
    name: 'millrace_consumergroup_lag_seconds',
    help: 'For how long the next record to read has been waiting since its append; 0 when everything is read. Without partition detail, the longest of the topic.',
    type: 'gauge',
    labelNames: ofGroupPartition,
    combine: highest,
    read: ({ snapshot }, { partitions }) =>
      byGroupPartition(
        consumedPartitions(snapshot),
        partitions,
        ({ partition, offset }) => lagMsOf(partition, offset) / 1000,
        highest,
      ),
  },
  {
    name: 'millrace_consumergroup_records_lead',
    help: 'Records between the oldest kept and the committed offset; below 0 the group lost records to retention. Without partition detail, the lowest of the topic.',
    type: 'gauge',
    labelNames: ofGroupPartition,
    combine: lowest,
    read: ({ snapshot }, { partitions }) =>
      byGroupPartition(
        consumedPartitions(snapshot),
        partitions,
        ({ partition, offset }) => offset.committed - partition.start,
        lowest,
      ),
  },
  {
    name: 'millrace_consumergroup_partition_status',
    help: 'Status as in Burrow: 1 OK, 2 WARN (reads, but lag does not fall), 4 STOP (no commits), 5 STALL (offset does not move), 6 REWIND (offset went back). Without partition detail, the highest of the topic.',
    type: 'gauge',
    labelNames: ofGroupPartition,
    combine: highest,
    read: ({ snapshot, windows }, { partitions }) =>
      byGroupPartition(
        consumedPartitions(snapshot),
        partitions,
        (each) => statusCodes[statusOf(each, windows)],
        highest,
      ),
  },
  {
    name: 'millrace_consumergroup_status',
    help: 'Status of a whole group as in Burrow: 1 OK, 2 WARN, 3 ERR (a partition is STOP, STALL or REWIND).',
    type: 'gauge',
    labelNames: ofGroup,
    combine: highest,
    read: ({ snapshot, windows }) => {
      return [...byGroup(consumedPartitions(snapshot))].map(([group, own]) => {
        const status = groupStatus(own.map((each) => statusOf(each, windows)));
        return { labels: { consumergroup: group }, value: statusCodes[status] };
      });
    },
  },
  {
    name: 'millrace_consumergroup_members',
    help: 'Members of a group whose session has not ended.',
    type: 'gauge',
    labelNames: ofGroup,
    read: ({ snapshot }) =>
      snapshot.groups.map(({ group, members }) => ({ labels: { consumergroup: group }, value: members })),
  },
  {
    name: 'millrace_consumergroup_rebalances_total',
    help: 'How often the partitions of a group were reassigned, kept in Redis.',
    type: 'counter',
    labelNames: ofGroup,
    read: ({ snapshot }) =>
      snapshot.groups.map(({ group, generation }) => ({ labels: { consumergroup: group }, value: generation })),
  },
  {
    name: 'millrace_records_expired_unread_total',
    help: 'Records that retention removed before a group had read them, kept in Redis.',
    type: 'counter',
    labelNames: ofGroupTopic,
    read: ({ snapshot }) =>
      byGroupTopic(consumedPartitions(snapshot)).map(({ group, topic, members }) => ({
        labels: { consumergroup: group, topic },
        value: sum(members.map(({ partition }) => partition.expiredUnread.get(group) ?? 0)),
      })),
  },
];

function byGroup(consumed: readonly ConsumedPartition[]): Map<string, ConsumedPartition[]> {
  const groups = new Map<string, ConsumedPartition[]>();
  for (const each of consumed) {
    const known = groups.get(each.offset.group);
    if (known === undefined) groups.set(each.offset.group, [each]);
    else known.push(each);
  }
  return groups;
}

function lagIn({ partition, offset }: ConsumedPartition): number {
  return lagOf(partition, offset);
}

function statusOf({ topic, partition, offset }: ConsumedPartition, windows: Sampled['windows']) {
  return windows.status(offset.group, topic, partition.partition);
}
