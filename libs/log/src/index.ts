export type { BatchContext, BatchRecord } from './batch-context.js';
export type { BatchHandler, ConsumerInput, ConsumerOptions, From } from './consumer-options.js';
export type { GroupConsumer, OwnedPartition } from './group-consumer.js';
export type { GroupDescription, Groups, OffsetChange, OffsetReset, PartitionLag, ResetTarget } from './groups.js';
export { Log, type LogOptions } from './log.js';
export { type Assignment, type AssignmentMember, assignPartitions } from './model/assignment.js';
export { deadLetterHeaders } from './model/dead-letter.js';
export type { Ordering } from './model/lanes.js';
export type { OutOfRangePolicy } from './model/offset-range.js';
export { partitionForKey } from './model/partitioner.js';
export { OffsetOutOfRangeError, type ReadFrom } from './model/read-range.js';
export type { RecordInput, RecordMetadata, StoredRecord } from './model/record.js';
export { type Compression, compressions, parseBatch } from './model/record-batch.js';
export type { Retention, Topic, TopicInput, TopicSettings, UnreadPolicy } from './model/topic.js';
export type { TopicPartition } from './model/topic-partition.js';
export { BatchWriteError } from './parcel.js';
export type { LogRecord } from './partition-reader.js';
export { Producer } from './producer.js';
export {
  type Acknowledgement,
  type Partitioner,
  type ProducerOptions,
  resolveProducerOptions,
} from './producer-options.js';
export type { ReadInput, ReadOptions } from './read-options.js';
export type { RecordContext } from './record-context.js';
export type { RecordIterator } from './record-stream.js';
export type { DeadLetterInfo, RedriveOptions, RedriveReport } from './redrive.js';
export type { SeekTarget } from './seek-target.js';
export { groupKeys, groupPartitionKey, groupsKey, partitionKeys, topicsKey } from './store/keys.js';
export type { PartitionState } from './store/partition.js';
export type { TopicChange, TopicDescription } from './topics.js';
