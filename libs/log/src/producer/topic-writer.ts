import type { Topic } from '../model/topic.js';
import { partitionKeys } from '../store/keys.js';
import type { AppenderConfig } from './appender-config.js';
import { fullBytes } from './open-batch.js';
import { PartitionAppender } from './partition-appender.js';
import type { PreparedRecord } from './pending-send.js';

/** Writes one producer's records into the partitions of one topic. */
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
    // Producers should not all begin with partition 0.
    this.#keyless = Math.floor(random * 0x10000);
  }

  get appenders(): readonly PartitionAppender[] {
    return this.#appenders.filter((appender) => appender !== undefined);
  }

  /** Adds one record to its own partition, or to the current keyless partition, which changes after a full batch. */
  addOne(record: PreparedRecord, now: number, deadline: number): void {
    const appender = this.appenderFor(record);
    appender.add([record], record.bytes, now, deadline);
    if (record.partition !== undefined) return;
    // No batch is open any more when it was sent immediately.
    const isFull = appender.openBytes === 0 || appender.openBytes >= fullBytes;
    if (isFull) this.#keyless++;
    this.#isKeylessUsed = !isFull;
  }

  /** The appender of a record's own partition, or of the current keyless one. */
  appenderFor({ topic, partition }: PreparedRecord): PartitionAppender {
    return this.#appender(topic, partition ?? this.#keyless % topic.partitions);
  }

  /** Moves keyless records to the next partition. */
  nextKeyless(): void {
    this.#keyless++;
  }

  /** Batches are sent: keyless records that follow go to another partition. */
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
