import { type CheckPayload, checkPayloads, OptionsError, quotedName, type RedriveReport } from '@millrace/core';
import type { DeadLetterInfo } from './dead-letters/dead-letter-info.js';
import type { RedriveOptions } from './dead-letters/redrive-options.js';
import type { PartitionLag } from './group-admin/groups.js';
import type { RecordInput, RecordMetadata } from './model/record.js';
import type { Producer } from './producer/producer.js';
import type { LogRecord } from './reader/log-record.js';
import type { ReadInput } from './reader/read-options.js';
import type { RecordIterator } from './reader/record-stream.js';
import type { TopicDescription } from './topics/topics.js';

/** A record without its topic. */
export type TopicRecord<T = unknown> = Omit<RecordInput<T>, 'topic'>;

/** Which dead letters of a topic to send back, and how. */
export type TopicRedriveOptions = Omit<RedriveOptions, 'topic'> & {
  /** The dead-letter topic. Default: the one that the topic declares. */
  readonly from?: string | undefined;
};

/** How a topic's handle sends. */
export interface TopicHandleOptions {
  /** Sends its records. Default: a producer of its own, made for its first record. */
  readonly producer?: Producer | undefined;
  /** Checks a value that is sent; `subject` names it in errors. Its result is not used. Default: none. @throws {ValidationError} */
  readonly validate?: CheckPayload | undefined;
}

/** What a handle needs of its log. */
export interface TopicContext {
  readonly groups: { lag(group: string, topic: string): Promise<PartitionLag[]> };
  producer(): Producer;
  describeTopic(name: string): Promise<TopicDescription>;
  read<T>(options: ReadInput): RecordIterator<LogRecord<T>>;
  readBatches<T>(options: ReadInput): AsyncGenerator<LogRecord<T>[], void, void>;
  redrive(options: RedriveOptions): Promise<RedriveReport>;
}

/**
 * One topic: sends to it, reads it, and sends its dead letters back. Created by `log.topic(name)`, and injected in Nest with
 * `@InjectProducer(topic)`. `T` is the type of its records' values.
 */
export class TopicHandle<T = unknown> {
  /** The topic's name. */
  readonly name: string;
  readonly #context: TopicContext;
  #producer: Producer | undefined;
  readonly #validate: CheckPayload | undefined;

  constructor(name: string, context: TopicContext, { producer, validate }: TopicHandleOptions = {}) {
    this.name = name;
    this.#context = context;
    this.#producer = producer;
    this.#validate = validate;
  }

  /**
   * The topic's name.
   *
   * @deprecated use `name`
   */
  get topic(): string {
    return this.name;
  }

  /**
   * Sends one record; resolves to its partition and offset when Redis confirmed it.
   *
   * @throws {ValidationError} the value is not of the topic's type, with every problem; nothing was sent
   * @throws {InvalidMessageError} the record is invalid; nothing was sent
   * @throws {TopicNotFoundError}
   * @throws {WriteError} not confirmed within `deliveryTimeoutMs`
   */
  async send(record: TopicRecord<T>): Promise<RecordMetadata> {
    if (this.#validate !== undefined) await this.#checked(record);
    this.#producer ??= this.#context.producer();
    return this.#producer.send({ ...record, topic: this.name });
  }

  /**
   * Sends many records; resolves to their places, in the given order. All are checked before the first is sent.
   *
   * @throws as `send`; {BatchWriteError} when some of several records were not confirmed
   */
  async sendBatch(records: readonly TopicRecord<T>[]): Promise<RecordMetadata[]> {
    if (this.#validate !== undefined) {
      await checkPayloads(`batch for topic "${this.name}"`, records, (record) => this.#checked(record), placeOf);
    }
    this.#producer ??= this.#context.producer();
    return this.#producer.sendBatch(records.map((record) => ({ ...record, topic: this.name })));
  }

  /** The records of one partition, in order, without a group: `for await (const record of orders.read({ partition: 0 }))`. */
  read(options: Omit<ReadInput, 'topic'>): RecordIterator<LogRecord<T>> {
    return this.#context.read<T>({ ...options, topic: this.name });
  }

  /** As `read`, but batch by batch. */
  readBatches(options: Omit<ReadInput, 'topic'>): AsyncGenerator<LogRecord<T>[], void, void> {
    return this.#context.readBatches<T>({ ...options, topic: this.name });
  }

  /** The topic's settings, and the offsets of each partition. @throws {TopicNotFoundError} */
  describe(): Promise<TopicDescription> {
    return this.#context.describeTopic(this.name);
  }

  /** How far a group is behind in this topic, in every partition it has an offset in. */
  lag(group: string): Promise<PartitionLag[]> {
    return this.#context.groups.lag(group, this.name);
  }

  /**
   * Sends dead letters of this topic back, each once; those that other topics have in the same dead-letter topic stay.
   *
   * @throws {OptionsError} an option is wrong, or the topic keeps no dead letters
   * @throws {TopicNotFoundError}
   */
  async redrive({ from, filter, ...options }: TopicRedriveOptions = {}): Promise<RedriveReport> {
    const topic = from ?? (await this.#deadLetterTopic());
    const isOwn = ({ originalTopic }: DeadLetterInfo): boolean => originalTopic === this.name;
    const allowTopics = from === undefined ? options.allowTopics : [...(options.allowTopics ?? []), this.name];
    return this.#context.redrive({
      ...options,
      allowTopics,
      topic,
      filter: filter === undefined ? isOwn : (letter) => isOwn(letter) && filter(letter),
    });
  }

  async #deadLetterTopic(): Promise<string> {
    const { deadLetter } = await this.describe();
    if (deadLetter !== false) return deadLetter.topic;
    throw new OptionsError(`redrive of topic "${this.name}"`, [
      'the topic declares no dead-letter topic: say from which one, with the option "from"',
    ]);
  }

  async #checked({ value }: TopicRecord<T>): Promise<void> {
    await this.#validate?.(value, `record for topic "${this.name}"`);
  }
}

function placeOf({ key }: TopicRecord, index: number): string {
  return key === undefined ? `records[${index}]` : `records[${index}] (key ${quotedName(key)})`;
}
