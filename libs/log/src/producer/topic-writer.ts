import type { Topic } from '../model/topic.js';
import { partitionKeys } from '../store/keys.js';
import type { AppenderSetting } from './appender-setting.js';
import type { PreparedRecord } from './parcel.js';
import { PartitionAppender } from './partition-appender.js';

/** After so many bytes in one batch, records without a key go on to the next partition (Kafka's `batch.size`). */
const stickyBytes = 16 * 1024;

/** One producer's way into the partitions of one topic. */
export class TopicWriter {
  readonly topicName: string;
  readonly #setting: AppenderSetting;
  readonly #prefix: string;
  readonly #appenders: (PartitionAppender | undefined)[] = [];
  #keyless: number;
  #isKeylessUsed = false;

  constructor(setting: AppenderSetting, prefix: string, topicName: string, random: number) {
    this.topicName = topicName;
    this.#setting = setting;
    this.#prefix = prefix;
    // Not all producers begin with partition 0.
    this.#keyless = Math.floor(random * 0x10000);
  }

  get appenders(): readonly PartitionAppender[] {
    return this.#appenders.filter((appender) => appender !== undefined);
  }

  /** Where one record goes: its own partition, or the one whose turn it is. */
  appenderFor(record: PreparedRecord): PartitionAppender {
    if (record.partition !== undefined) return this.#appender(record.topic, record.partition);
    const current = this.keyless(record.topic);
    this.#isKeylessUsed = true;
    if (current.openBytes === 0 || current.openBytes + record.bytes <= stickyBytes) return current;
    return this.nextKeyless(record.topic);
  }

  /** The partition whose turn it is for records without a key. */
  keyless(topic: Topic): PartitionAppender {
    return this.#appender(topic, this.#keyless % topic.partitions);
  }

  /** Gives the turn to the next partition. */
  nextKeyless(topic: Topic): PartitionAppender {
    this.#keyless++;
    return this.keyless(topic);
  }

  /** Batches are sent: those without a key that come next go to another partition. */
  onFlush(): void {
    if (this.#isKeylessUsed) this.#keyless++;
    this.#isKeylessUsed = false;
  }

  #appender(topic: Topic, partition: number): PartitionAppender {
    this.#appenders[partition] ??= new PartitionAppender(
      this.#setting,
      topic,
      partition,
      partitionKeys(this.#prefix, topic.name, partition),
    );
    return this.#appenders[partition];
  }
}
