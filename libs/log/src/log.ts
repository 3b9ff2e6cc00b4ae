import { assertNoProblem, ClosedError, type Codec, CodecRegistry, integerProblem } from '@millrace/core';
import { Events, type FirstUse, runOutsideHandlers, type StopOptions } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import { Redrive, type RedriveReport } from './dead-letters/redrive.js';
import type { RedriveOptions } from './dead-letters/redrive-options.js';
import type { ConsumerDependencies } from './group/consumer-dependencies.js';
import { type ConsumerInput, resolveConsumerOptions } from './group/consumer-options.js';
import { GroupConsumer } from './group/group-consumer.js';
import { GroupExpiry } from './group-admin/group-expiry.js';
import { Groups } from './group-admin/groups.js';
import { logCodecs } from './log-codecs.js';
import { type LogSettings, resolveLogSettings } from './log-settings.js';
import type { Topic, TopicInput } from './model/topic.js';
import { DecodedBytes } from './partition/decoded-bytes.js';
import { SharedChannel } from './producer/append-channel.js';
import { Producer } from './producer/producer.js';
import { type ProducerOptions, resolveProducerOptions } from './producer/producer-options.js';
import { ReplicaChannel } from './producer/replica-channel.js';
import type { LogRecord } from './reader/log-record.js';
import { PartitionReader } from './reader/partition-reader.js';
import type { ReadInput } from './reader/read-options.js';
import type { RecordIterator } from './reader/record-stream.js';
import { TopicHandle, type TopicHandleOptions } from './topic-handle.js';
import { ForeignEntries } from './topics/foreign-entries.js';
import { RetentionUpkeep } from './topics/retention-upkeep.js';
import { TopicCatalog } from './topics/topic-catalog.js';
import { type TopicChange, type TopicDescription, Topics } from './topics/topics.js';

/** Settings of a `Log`. */
export interface LogOptions extends Partial<LogSettings> {
  /** Where events go; default: an emitter of its own. */
  readonly events?: Events;
  /** Codecs besides `json`, `raw`, and `msgpack` where msgpackr is installed. */
  readonly codecs?: readonly Codec[];
}

/** The log side of Millrace: topics, producers, readers and consumer groups over one connection. */
export class Log {
  /** Events of this log and its consumers: failures, retries, rebalances, commits. Listen with `log.events.on(name, listener)`. */
  readonly events: Events;
  /** Consumer groups as an operator sees them: their lag, and setting their offsets. */
  readonly groups: Groups;
  readonly #connection: RedisConnection;
  readonly #codecs: ReadonlyMap<string, Codec>;
  readonly #catalog: TopicCatalog;
  readonly #topics: Topics;
  readonly #reader: PartitionReader;
  readonly #foreignEntries: ForeignEntries;
  readonly #upkeep: RetentionUpkeep;
  readonly #runsUpkeep: boolean;
  readonly #producers = new Set<Producer>();
  readonly #consumers = new Set<GroupConsumer>();
  readonly #registry: CodecRegistry;
  readonly #decoded: DecodedBytes;
  #firstUse: FirstUse | undefined;
  #takesConsumers = true;
  #takesProducers = true;
  readonly #onConnectionClosed = (): void => void this.close({ deadlineMs: 0 }).catch(() => undefined);

  constructor(connection: RedisConnection, { events = new Events(), codecs = [], ...rest }: LogOptions = {}) {
    const { retentionIntervalMs, offsetsRetentionMs, maxDecodedBytes } = resolveLogSettings(rest);
    this.#decoded = new DecodedBytes(maxDecodedBytes);
    this.events = events;
    this.#connection = connection;
    const known = logCodecs(codecs);
    this.#registry = new CodecRegistry(known);
    this.#codecs = new Map(known.map((codec) => [codec.name, codec]));
    this.#catalog = new TopicCatalog(connection);
    this.#topics = new Topics(connection, this.#catalog, this.#codecs);
    this.#reader = new PartitionReader(connection, this.#topics, this.#registry);
    this.#foreignEntries = new ForeignEntries(connection, events);
    this.groups = new Groups(connection, this.#topics, this.#reader);
    this.#runsUpkeep = retentionIntervalMs > 0;
    const expiry = new GroupExpiry(this.groups, events, offsetsRetentionMs);
    this.#upkeep = new RetentionUpkeep(connection, events, retentionIntervalMs, expiry);
    // Without its connection the log can do nothing: sends fail, and nothing of it keeps the process alive.
    if (connection.isClosed) this.#onConnectionClosed();
    else connection.once('closed', this.#onConnectionClosed);
  }

  /** Declares a topic; declaring it again with the same settings does nothing. @throws {TopicConflictError} it has other settings */
  async declareTopic(topic: TopicInput): Promise<TopicDescription> {
    const description = await this.#topics.declare(topic);
    this.#startUpkeep();
    return description;
  }

  /** A topic's settings, and the offsets of each partition. @throws {TopicNotFoundError} */
  describeTopic(name: string): Promise<TopicDescription> {
    return this.#topics.describe(name);
  }

  /** All topics, sorted by name. */
  listTopics(): Promise<Topic[]> {
    return this.#topics.list();
  }

  /** Deletes a topic, its records and its groups' offsets. Resolves to false when there was none. */
  deleteTopic(name: string): Promise<boolean> {
    return this.#topics.delete(name);
  }

  /** Adds partitions until there are `partitions`. Keys move to other partitions: see docs/topics.md first. */
  addPartitions(name: string, partitions: number): Promise<TopicDescription> {
    return this.#topics.addPartitions(name, partitions);
  }

  /** Changes a topic in use; batches already in the log stay as they are. @throws {OptionsError} @throws {TopicNotFoundError} */
  alterTopic(name: string, change: TopicChange): Promise<TopicDescription> {
    return this.#topics.alter(name, change);
  }

  /**
   * Removes the records of a partition below the offset `before`, read or not; resolves to the new log start offset.
   *
   * @throws {OptionsError} `before` is not a whole number @throws {InvalidMessageError} there is no such partition
   */
  async deleteRecords(topic: string, partition: number, before: number): Promise<number> {
    assertNoProblem(`topic "${topic}", partition ${partition}`, integerProblem('before', before));
    return this.#upkeep.deleteRecords(await this.#topics.withPartition(topic, partition), partition, before);
  }

  /** Removes what is over the topic's limits now, without waiting for the next upkeep. */
  async applyRetention(topic: string): Promise<void> {
    await this.#upkeep.apply(await this.#catalog.refresh(topic));
  }

  /** Removes foreign entries past a log's end (docs/operations.md); resolves to the number of entries. @throws {TopicNotFoundError} */
  async removeForeignEntries(topic: string): Promise<number> {
    return this.#foreignEntries.removeFromAll(await this.#catalog.refresh(topic));
  }

  /**
   * Creates a producer, which is closed with the log.
   *
   * @throws {OptionsError} with all problems @throws {ClosedError} the log is closed. With a closed connection, sends fail
   */
  producer(options: Partial<ProducerOptions> = {}): Producer {
    const resolved = resolveProducerOptions(options);
    const connection = this.#connection;
    if (!this.#takesProducers && !connection.isClosed) throw new ClosedError('the log');
    const channel = resolved.acks === 'all' ? new ReplicaChannel(connection, resolved) : new SharedChannel(connection);
    const producer: Producer = new Producer(resolved, channel, {
      connection,
      catalog: this.#catalog,
      foreignEntries: this.#foreignEntries,
      codecs: this.#codecs,
      firstUse: () => this.#firstUse,
      onBackgroundError: (duty, error) => this.events.emit('background-error', { duty, error }),
      onClosed: () => void this.#producers.delete(producer),
    });
    this.#producers.add(producer);
    if (connection.isClosed) void producer.close({ deadlineMs: 0 });
    this.#startUpkeep();
    return producer;
  }

  /** Runs `firstUse` on the first record for an unknown topic; others for such topics wait until it is done. */
  beforeFirstUnknownTopic(firstUse: FirstUse): void {
    this.#firstUse = firstUse;
  }

  /**
   * Creates a member of a consumer group; it does nothing until `start()`.
   *
   * @throws {OptionsError} with all problems @throws {ClosedError} the log is closed or closing
   */
  consumer(options: ConsumerInput): GroupConsumer {
    if (!this.#takesConsumers) throw new ClosedError('the log');
    const dependencies: ConsumerDependencies = {
      connection: this.#connection,
      events: this.events,
      codecs: this.#registry,
      catalog: this.#catalog,
      topics: this.#topics,
      reader: this.#reader,
      foreignEntries: this.#foreignEntries,
      decoded: this.#decoded,
      onStopped: () => void this.#consumers.delete(consumer),
    };
    const consumer: GroupConsumer = new GroupConsumer(dependencies, resolveConsumerOptions(options));
    this.#consumers.add(consumer);
    return consumer;
  }

  /** Sends dead letters back where they came from, each once. See docs/retries-and-dead-letters.md. */
  redrive(options: RedriveOptions): Promise<RedriveReport> {
    return new Redrive(this.#connection, this.#catalog, this.#topics, this.#foreignEntries).run(options);
  }

  /** One topic: sends to it, reads it, and sends its dead letters back. `T` is the type of its records' values. */
  topic<T = unknown>(name: string, options?: TopicHandleOptions): TopicHandle<T> {
    return new TopicHandle<T>(name, this, options);
  }

  /** The log start offset: that of the oldest record. */
  async beginOffset(topic: string, partition: number): Promise<number> {
    return (await this.#reader.state(topic, partition)).start;
  }

  /** The log end offset: that of the next record to be written. */
  async endOffset(topic: string, partition: number): Promise<number> {
    return (await this.#reader.state(topic, partition)).end;
  }

  /** Offset of the first record whose timestamp is at least `timestamp`; the log's end when there is none. */
  offsetForTimestamp(topic: string, partition: number, timestamp: number): Promise<number> {
    return this.#reader.offsetForTimestamp(topic, partition, timestamp);
  }

  /**
   * The records of one partition, in order, without a group: `for await (const record of log.read({ … }))`.
   *
   * @throws {ClosedError} with `tail: true`, when the log is closed
   */
  read<T = unknown>(options: ReadInput): RecordIterator<LogRecord<T>> {
    return this.#reader.read<T>(options);
  }

  /** As `read`, but batch by batch. */
  readBatches<T = unknown>(options: ReadInput): AsyncGenerator<LogRecord<T>[], void, void> {
    return this.#reader.readBatches<T>(options);
  }

  /**
   * Stops every producer and consumer it created, and ends reads with `tail: true`; the connection stays open. Producers send what they
   * have; what is not confirmed by the deadline fails with a `WriteError`. Does not wait for a handler that it is called in.
   */
  close(options?: StopOptions): Promise<void> {
    const onError = (error: unknown): void => void this.events.emit('background-error', { duty: 'close', error });
    return runOutsideHandlers(() => this.#close(options), onError);
  }

  async #close({ deadlineMs }: StopOptions = {}): Promise<void> {
    const begunAt = performance.now();
    this.#takesConsumers = false;
    await Promise.all([...this.#consumers].map((consumer) => consumer.stop({ deadlineMs })));
    // Not earlier: a handler that is still running may need its first producer.
    this.#takesProducers = false;
    const rest = deadlineMs === undefined ? {} : { deadlineMs: Math.max(0, begunAt + deadlineMs - performance.now()) };
    await Promise.all([this.#upkeep.stop(), ...[...this.#producers].map((producer) => producer.close(rest))]);
    this.#reader.close();
    this.#connection.off('closed', this.#onConnectionClosed);
  }

  /** Upkeep starts with the first use; after `close` it does not start again. */
  #startUpkeep(): void {
    if (this.#runsUpkeep) this.#upkeep.start().catch(() => undefined);
  }
}
