import type { Topic } from '../model/topic.js';
import { partitionKeys } from '../store/keys.js';
import type { AppenderConfig } from './appender-config.js';
import { fullBytes } from './open-batch.js';
import type { PreparedRecord } from './parcel.js';
import { PartitionAppender } from './partition-appender.js';

/** One producer's way into the partitions of one topic. */
export class TopicWriter {
  readonly topicName: string;
  readonly #config: AppenderConfig;
  readonly #prefix: string;
  readonly #appenders: (PartitionAppender | undefined)[] = [];
  #keyless: number;
  #isKeylessUsed = false;

  constructor(config: AppenderConfig, prefix: string, topicName: string, random: number) {
    this.topicName = topicName;
    this.#config = config;
    this.#prefix = prefix;
    // Not all producers begin with partition 0.
    this.#keyless = Math.floor(random * 0x10000);
  }

  get appenders(): readonly PartitionAppender[] {
    return this.#appenders.filter((appender) => appender !== undefined);
  }

  /** Puts one record into its own partition, or into the one whose turn it is, which ends with a full batch. */
  addOne(record: PreparedRecord, now: number, deadline: number): void {
    const appender = this.appenderFor(record);
    appender.addOne(record, now, deadline);
    if (record.partition !== undefined) return;
    // Nothing is open any more when the batch was sent at once.
    const isFull = appender.openBytes === 0 || appender.openBytes >= fullBytes;
    if (isFull) this.#keyless++;
    this.#isKeylessUsed = !isFull;
  }

  /** The way to a record's own partition, or to the one whose turn it is. */
  appenderFor({ topic, partition }: PreparedRecord): PartitionAppender {
    return this.#appender(topic, partition ?? this.#keyless % topic.partitions);
  }

  /** Gives the turn to the next partition. */
  nextKeyless(): void {
    this.#keyless++;
  }

  /** Batches are sent: those without a key that come next go to another partition. */
  onFlush(): void {
    if (this.#isKeylessUsed) this.#keyless++;
    this.#isKeylessUsed = false;
  }

  #appender(topic: Topic, partition: number): PartitionAppender {
    this.#appenders[partition] ??= new PartitionAppender(
      this.#config,
      topic,
      partition,
      partitionKeys(this.#prefix, topic.name, partition),
    );
    return this.#appenders[partition];
  }
}
