/**
 * The log: topics with partitions, producers, readers, consumer groups. Begin with {@link Log}.
 *
 * @module @millrace/log
 */
export type { RedriveReport } from '@millrace/core';
export type { DeadLetterInfo } from './dead-letters/dead-letter-info.js';
export type { RedriveOptions } from './dead-letters/redrive-options.js';
export type { ConsumerInput, ConsumerOptions, From } from './group/consumer-options.js';
export type { GroupConsumer } from './group/group-consumer.js';
export type { OwnedPartition } from './group/owned-partition.js';
export type { GroupDescription, Groups, OffsetChange, PartitionLag } from './group-admin/groups.js';
export type { OffsetReset, ResetTarget } from './group-admin/offset-reset.js';
export { Log, type LogOptions } from './log.js';
export { type LogSettings, resolveLogSettings } from './log-settings.js';
export { type Assignment, type AssignmentMember, assignPartitions } from './model/assignment.js';
export { deadLetterHeaders } from './model/dead-letter.js';
export type { Ordering } from './model/key-queues.js';
export type { OutOfRangePolicy } from './model/offset-range.js';
export { partitionForKey } from './model/partitioner.js';
export { OffsetOutOfRangeError, placeProblem, type ReadFrom } from './model/read-range.js';
export type { RecordInput, RecordMetadata, StoredRecord } from './model/record.js';
export { type Compression, compressions } from './model/record-batch.js';
export { subscribeTo, topicsTaken } from './model/subscription.js';
export {
  partitionProblems,
  type Retention,
  resolveTopic,
  type TimestampKind,
  type Topic,
  type TopicInput,
  type TopicSettings,
  topicDifferences,
  type UnreadPolicy,
} from './model/topic.js';
export type { TopicPartition } from './model/topic-partition.js';
export type { BatchContext, BatchRecord } from './partition/batch-context.js';
export type { BatchHandler } from './partition/handling-options.js';
export type { RecordContext } from './partition/record-context.js';
export { BatchWriteError } from './producer/pending-send.js';
export { Producer } from './producer/producer.js';
export {
  type Acknowledgement,
  type Partitioner,
  type ProducerOptions,
  resolveProducerOptions,
} from './producer/producer-options.js';
export type { LogRecord } from './reader/log-record.js';
export type { ReadInput, ReadOptions } from './reader/read-options.js';
export type { RecordIterator } from './reader/record-stream.js';
export type { SeekTarget } from './reader/seek-target.js';
export { groupKeys, groupPartitionKey, groupsKey, partitionKeys, topicsKey } from './store/keys.js';
export type { PartitionState } from './store/partition.js';
export { allTopics } from './store/topics.js';
export { TopicHandle, type TopicHandleOptions, type TopicRecord, type TopicRedriveOptions } from './topic-handle.js';
export type { TopicChange, TopicDescription } from './topics/topics.js';
