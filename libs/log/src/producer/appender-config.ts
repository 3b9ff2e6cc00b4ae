import type { Topic } from '../model/topic.js';
import type { TopicPartition } from '../model/topic-partition.js';
import type { AppendChannel } from './append-channel.js';
import type { ProducerBatch } from './producer-batch.js';
import type { ProducerOptions } from './producer-options.js';

/** What all appenders of a producer share. */
export interface AppenderConfig {
  readonly options: ProducerOptions;
  readonly producerId: string;
  readonly channel: AppendChannel;
  codecId(topic: Topic): number;
  /** The topic as it is now, with the partition made ready. @throws {MillraceError} the topic no longer exists */
  reopen(topic: string, partition: number): Promise<Topic>;
  /** Removes what another program wrote past the log's end. */
  removeForeignEntries(place: TopicPartition): Promise<unknown>;
  /** An append saw this version of the topic. */
  onNewVersion(topic: Pick<Topic, 'name' | 'id'>, version: number): void;
  /** A batch was opened: `flush` must be called when it has lingered. */
  onBegun(appender: { readonly topicName: string; flush(): void }): void;
  onSettled(batch: ProducerBatch): void;
  onBackgroundError(duty: string, error: unknown): void;
}
