import { randomBytes } from 'node:crypto';
import { ClosedError, pause } from '@millrace/core';
import type { StopOptions } from '@millrace/delivery';
import { writtenTogether } from '@millrace/redis';
import type { RecordInput, RecordMetadata } from '../model/record.js';
import { noSuchPartition, type Topic } from '../model/topic.js';
import { forgetProducer } from '../store/append.js';
import { openPartition } from '../store/partition.js';
import type { AppendChannel } from './append-channel.js';
import { noRecords, writeError } from './append-failure.js';
import type { AppenderConfig } from './appender-config.js';
import { FlushSchedule } from './flush-schedule.js';
import type { PartitionAppender } from './partition-appender.js';
import { PendingSend, type PreparedRecord } from './pending-send.js';
import type { ProducerDependencies } from './producer-dependencies.js';
import type { ProducerOptions } from './producer-options.js';
import { RecordPreparation } from './record-preparation.js';
import { SendBuffer } from './send-buffer.js';
import { TopicWriter } from './topic-writer.js';

type Flushable = Parameters<AppenderConfig['onBegun']>[0];

/** Sends records to topics. One per process is enough: it batches the records of all callers. */
export class Producer {
  /** Identifies this producer in Redis, which remembers its last batches. */
  readonly id = randomBytes(9).toString('base64url');
  /** The resolved options, with defaults. */
  readonly options: ProducerOptions;
  readonly #dependencies: ProducerDependencies;
  readonly #channel: AppendChannel;
  readonly #buffer: SendBuffer;
  readonly #writers = new Map<string, TopicWriter>();
  readonly #preparation: RecordPreparation;
  readonly #schedule: FlushSchedule<Flushable>;
  readonly #config: AppenderConfig;
  #closing: Promise<void> | undefined;

  constructor(options: ProducerOptions, channel: AppendChannel, dependencies: ProducerDependencies) {
    this.options = options;
    this.#channel = channel;
    this.#dependencies = dependencies;
    this.#buffer = new SendBuffer(options.maxBufferedBytes);
    this.#preparation = new RecordPreparation(dependencies, options);
    this.#schedule = new FlushSchedule(
      options.lingerMs,
      ({ topicName }) => this.#writers.get(topicName)?.onFlush(),
      (flush) => writtenTogether(channel.client, flush),
    );
    this.#config = this.#makeConfig();
  }

  /**
   * Sends one record; resolves with its offset when Redis has it (see `acks`). Records sent in one turn of the event
   * loop share a batch (see `lingerMs`). Do not change the value before it resolves: it may be encoded later.
   *
   * @throws {InvalidMessageError} the record is invalid; nothing was sent
   * @throws {TopicNotFoundError}
   * @throws {WriteError} not confirmed within `deliveryTimeoutMs`; `mayBeWritten` tells whether it may be in the log nevertheless
   */
  send(record: RecordInput): Promise<RecordMetadata> {
    return new Promise((resolve, reject) => {
      const pending = new PendingSend({ count: 1, isBatch: false }, ([metadata]) => resolve(metadata!), reject);
      this.#accept([record], pending, reject);
    });
  }

  /**
   * Sends many records; resolves to their places, in the given order. Those for one partition are one batch,
   * written as a whole or not at all, as long as they fit into `maxBatchBytes`. Nothing is sent when one of them is invalid.
   *
   * @throws as `send`; {BatchWriteError} when some of several records were not confirmed
   */
  sendBatch(records: readonly RecordInput[]): Promise<RecordMetadata[]> {
    if (!Array.isArray(records)) return Promise.reject(noRecords(records));
    if (records.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#accept(records, new PendingSend({ count: records.length, isBatch: true }, resolve, reject), reject);
    });
  }

  /** Sends open batches, and resolves when everything that was sent before is confirmed or has failed. */
  async flush(): Promise<void> {
    await this.#buffer.settled();
    for (const appender of this.#appenders()) appender.flush();
    const batches = this.#appenders().flatMap((appender) => appender.batches());
    await Promise.all(batches.map((batch) => batch.settled()));
  }

  /** Accepts no more records and sends those it has; what is not confirmed by the deadline fails. Safe to call twice. */
  close({ deadlineMs = this.options.deliveryTimeoutMs }: StopOptions = {}): Promise<void> {
    this.#closing ??= this.#close(deadlineMs);
    return this.#closing;
  }

  async #close(deadlineMs: number): Promise<void> {
    const over = new AbortController();
    const deadline = pause(deadlineMs, { signal: over.signal });
    await Promise.race([this.flush(), deadline]);
    over.abort();
    this.#schedule.stop();
    this.#buffer.close();
    for (const appender of this.#appenders()) {
      appender.abort((batch) =>
        writeError(batch, appender.partition, 'the producer was closed before it was confirmed'),
      );
    }
    if (this.#channel.isUp && this.options.idempotent) await Promise.race([this.#forget(), pause(500, { ref: false })]);
    this.#channel.close();
    this.#dependencies.onClosed();
  }

  async #forget(): Promise<void> {
    const known = this.#appenders().filter((appender) => appender.isKnownToRedis);
    await Promise.allSettled(known.map(({ keys }) => forgetProducer(this.#channel.client, keys, this.id)));
  }

  // An exception here rejects the promise whose executor calls it.

  /** Takes the synchronous path, unless callers queue or something must be looked up. */
  #accept(records: readonly RecordInput[], pending: PendingSend, reject: (error: unknown) => void): void {
    const now = performance.now();
    const deadline = now + this.options.deliveryTimeoutMs;
    this.#assertOpen();
    const prepared = this.#preparation.prepare(records, pending);
    const bytes = prepared === undefined ? 0 : totalBytes(prepared);
    if (prepared !== undefined && this.#buffer.isFree && this.#buffer.take(bytes))
      this.#place(prepared, bytes, now, deadline);
    else this.#queue(records, pending, prepared, deadline, reject);
  }

  #assertOpen(): void {
    if (this.#closing !== undefined)
      throw new ClosedError(this.#dependencies.connection.isClosed ? 'the connection to Redis' : 'the producer');
  }

  #queue(
    records: readonly RecordInput[],
    pending: PendingSend,
    prepared: PreparedRecord[] | undefined,
    deadline: number,
    reject: (error: unknown) => void,
  ): void {
    this.#buffer.inTurn(() => this.#acceptLater(records, pending, prepared, deadline)).catch(reject);
  }

  async #acceptLater(
    records: readonly RecordInput[],
    pending: PendingSend,
    early: PreparedRecord[] | undefined,
    deadline: number,
  ): Promise<void> {
    let prepared = early;
    if (prepared === undefined) {
      for (const record of records) await this.#preparation.learn(record, deadline - performance.now());
      prepared = this.#preparation.prepare(records, pending, { isFinal: true }) ?? [];
    }
    const bytes = totalBytes(prepared);
    await this.#buffer.waitForRoom(bytes, deadline);
    this.#place(prepared, bytes, performance.now(), deadline);
  }

  #place(records: readonly PreparedRecord[], bytes: number, now: number, deadline: number): void {
    const [first] = records;
    if (first === undefined) return;
    if (records.length === 1) {
      this.#writer(first.topic).addOne(first, now, deadline);
      return;
    }
    for (const [appender, group] of this.#grouped(records)) {
      appender.add(group, group.length === records.length ? bytes : totalBytes(group), now, deadline);
    }
  }

  #grouped(records: readonly PreparedRecord[]): Map<PartitionAppender, PreparedRecord[]> {
    const groups = new Map<PartitionAppender, PreparedRecord[]>();
    const rotating = new Set<TopicWriter>();
    let writer = this.#writer(records[0]!.topic);
    for (const record of records) {
      if (record.topic.name !== writer.topicName) writer = this.#writer(record.topic);
      const appender = writer.appenderFor(record);
      if (record.partition === undefined) rotating.add(writer);
      const group = groups.get(appender);
      if (group === undefined) groups.set(appender, [record]);
      else group.push(record);
    }
    for (const writer of rotating) writer.nextKeyless();
    return groups;
  }

  #writer(topic: Topic): TopicWriter {
    const known = this.#writers.get(topic.name);
    if (known !== undefined) return known;
    const writer = new TopicWriter(this.#config, this.#dependencies.connection.prefix, topic.name, Math.random());
    this.#writers.set(topic.name, writer);
    return writer;
  }

  #appenders(): PartitionAppender[] {
    return [...this.#writers.values()].flatMap((writer) => writer.appenders);
  }

  #makeConfig(): AppenderConfig {
    const { catalog, codecs, connection, onBackgroundError } = this.#dependencies;
    return {
      options: this.options,
      producerId: this.id,
      channel: this.#channel,
      codecId: (topic) => codecs.get(topic.codec)?.id ?? 0,
      reopen: async (name, partition) => {
        const topic = await catalog.reload(name);
        if (partition >= topic.partitions) throw noSuchPartition(topic, partition);
        await openPartition(connection.commands, connection.prefix, topic, partition);
        return topic;
      },
      removeForeignEntries: (place) => this.#dependencies.foreignEntries.remove(place),
      onNewVersion: ({ name, id }, version) => {
        const known = catalog.peek(name);
        if (known === undefined || known.id !== id || known.version >= version) return;
        catalog.refresh(name).catch((error: unknown) => onBackgroundError(`look up topic "${name}"`, error));
      },
      onBegun: (appender) => this.#schedule.add(appender),
      onSettled: (batch) => this.#buffer.release(batch.bytes),
      onBackgroundError,
    };
  }
}

function totalBytes(records: readonly PreparedRecord[]): number {
  let bytes = 0;
  for (const record of records) bytes += record.bytes;
  return bytes;
}
