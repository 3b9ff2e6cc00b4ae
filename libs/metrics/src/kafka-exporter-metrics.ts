import { lagOf } from '@millrace/admin';
import { byGroupPartition, byPartition, consumedPartitions, sum } from './partition-series.js';
import type { SampledFamily } from './sampled-family.js';

const ofPartition = ['topic', 'partition'];
const ofGroupPartition = ['consumergroup', 'topic', 'partition'];
const ofGroupTopic = ['consumergroup', 'topic'];

/** The same figures under the names of danielqsj/kafka_exporter, so that its dashboard (Grafana 7589) and alerts work unchanged. */
export const kafkaExporterMetrics: readonly SampledFamily[] = [
  gauge('kafka_brokers', 'Redis masters.', [], ({ masters }) => [{ labels: {}, value: masters }]),
  gauge('kafka_topic_partitions', 'Number of partitions for this Topic', ['topic'], ({ snapshot }) =>
    snapshot.topics.map(({ topic }) => ({ labels: { topic: topic.name }, value: topic.partitions })),
  ),
  gauge(
    'kafka_topic_partition_current_offset',
    'Current Offset of a Broker at Topic/Partition',
    ofPartition,
    ({ snapshot }) => byPartition(snapshot, true, ({ end }) => end),
  ),
  gauge(
    'kafka_topic_partition_oldest_offset',
    'Oldest Offset of a Broker at Topic/Partition',
    ofPartition,
    ({ snapshot }) => byPartition(snapshot, true, ({ start }) => start),
  ),
  gauge(
    'kafka_consumergroup_current_offset',
    'Current Offset of a ConsumerGroup at Topic/Partition',
    ofGroupPartition,
    ({ snapshot }) => byGroupPartition(consumedPartitions(snapshot), true, ({ offset }) => offset.committed, sum),
  ),
  gauge(
    'kafka_consumergroup_current_offset_sum',
    'Current Offset of a ConsumerGroup at Topic for all partitions',
    ofGroupTopic,
    ({ snapshot }) => byGroupPartition(consumedPartitions(snapshot), false, ({ offset }) => offset.committed, sum),
  ),
  gauge(
    'kafka_consumergroup_lag',
    'Current Approximate Lag of a ConsumerGroup at Topic/Partition',
    ofGroupPartition,
    ({ snapshot }) =>
      byGroupPartition(consumedPartitions(snapshot), true, ({ partition, offset }) => lagOf(partition, offset), sum),
  ),
  gauge(
    'kafka_consumergroup_lag_sum',
    'Current Approximate Lag of a ConsumerGroup at Topic for all partitions',
    ofGroupTopic,
    ({ snapshot }) =>
      byGroupPartition(consumedPartitions(snapshot), false, ({ partition, offset }) => lagOf(partition, offset), sum),
  ),
  gauge('kafka_consumergroup_members', 'Amount of members in a consumer group', ['consumergroup'], ({ snapshot }) =>
    snapshot.groups.map(({ group, members }) => ({ labels: { consumergroup: group }, value: members })),
  ),
];

function gauge(name: string, help: string, labelNames: string[], read: SampledFamily['read']): SampledFamily {
  return { name, help, type: 'gauge', labelNames, read };
}
