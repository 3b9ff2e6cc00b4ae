import {
  assertNoProblem,
  ClosedError,
  CodecError,
  type CodecRegistry,
  TopicNotFoundError,
  timestampProblem,
} from '@millrace/core';
import type { RedisClient, RedisConnection } from '@millrace/redis';
import { idempotently } from '../idempotent-call.js';
import { decodeBatch } from '../model/batch-compression.js';
import type { StoredRecord } from '../model/record.js';
import { partitionKeys } from '../store/keys.js';
import { type PartitionState, partitionState } from '../store/partition.js';
import { entryAt } from '../store/read.js';
import { searchTime } from '../store/time-search.js';
import type { Topics } from '../topics/topics.js';
import { BatchFetch } from './batch-fetch.js';
import type { LogRecord } from './log-record.js';
import { offsetWithin, PartitionScan } from './partition-scan.js';
import { type ReadInput, type ReadOptions, resolveReadOptions } from './read-options.js';
import { ReadingEnd } from './reading-end.js';
import { type RecordIterator, RecordStream } from './record-stream.js';

const noRecords: PartitionState = Object.freeze({ start: 0, end: 0, bytes: 0 });

/** Reads partitions without a group: no offset is committed. */
export class PartitionReader {
  readonly #connection: RedisConnection;
  readonly #topics: Topics;
  readonly #codecs: CodecRegistry;
  readonly #tails = new Set<ReadingEnd>();
  #isClosed = false;

  constructor(connection: RedisConnection, topics: Topics, codecs: CodecRegistry) {
    this.#connection = connection;
    this.#topics = topics;
    this.#codecs = codecs;
  }

  /** The start and end of a partition's log. @throws {TopicNotFoundError} @throws {InvalidMessageError} no such partition */
  async state(topic: string, partition: number, timeoutMs?: number): Promise<PartitionState> {
    const found = await this.#topics.unlessAwaited(topic, () =>
      this.#topics.withPartition(topic, partition, timeoutMs),
    );
    if (found === undefined) return noRecords;
    return this.#state(topic, partition, timeoutMs);
  }

  /** Offset of the first record whose timestamp is at least `timestamp`; the log's end when there is none. */
  async offsetForTimestamp(topic: string, partition: number, timestamp: number): Promise<number> {
    assertNoProblem(`topic "${topic}", partition ${partition}`, timestampProblem('timestamp', timestamp));
    const state = await this.state(topic, partition);
    const keys = partitionKeys(this.#connection.prefix, topic, partition);
    const near = await idempotently(this.#connection, `search topic "${topic}"`, (client) =>
      searchTime(client, keys, state, timestamp),
    );
    // The batch that was found holds the record, unless the one that raised the log's highest time is gone: then read on.
    const fetch = new BatchFetch(this.#connection, keys, 30_000);
    for (let position = near; position < state.end; ) {
      const batches = await fetch.next(position);
      if (batches.length === 0) break;
      for (const { endOffset, frame, timestamp: appendedAt } of batches) {
        const found = readable(frame, endOffset, appendedAt).find(
          (record) => record.timestamp >= timestamp && record.offset >= state.start,
        );
        if (found !== undefined) return found.offset;
        position = Math.max(position, endOffset || state.end);
      }
    }
    return state.end;
  }

  /** The records of one partition, in order. One batch is fetched ahead while the caller handles the previous one. */
  read<T = unknown>(input: ReadInput): RecordIterator<LogRecord<T>> {
    return new RecordStream(this.readBatches<T>(input));
  }

  /** As `read`, batch by batch: faster where handling a record takes little time. */
  readBatches<T = unknown>(input: ReadInput): AsyncGenerator<LogRecord<T>[], void, void> {
    const end = new ReadingEnd();
    return end.closing(this.#readUntil<T>(end, input));
  }

  /** Ends reads that wait for new records, and starts no more of them. Reads with an end continue to it. */
  close(): void {
    this.#isClosed = true;
    for (const tail of this.#tails) tail.come();
  }

  async *#readUntil<T>(end: ReadingEnd, input: ReadInput): AsyncGenerator<LogRecord<T>[], void, void> {
    const options = resolveReadOptions(input);
    if (options.tail && this.#isClosed) throw new ClosedError('the log');
    const unfollow = end.follow(options.signal);
    if (options.tail) this.#tails.add(end);
    try {
      yield* this.#batches<T>({ ...options, signal: end.signal });
    } finally {
      unfollow();
      this.#tails.delete(end);
    }
  }

  async *#batches<T>(options: ReadOptions): AsyncGenerator<LogRecord<T>[], void, void> {
    const { topic, partition, maxOutageMs } = options;
    const find = () => this.#topics.withPartition(topic, partition, maxOutageMs);
    // Only an existing topic can be followed past its end.
    const found = options.tail ? await find() : await this.#topics.unlessAwaited(topic, find);
    if (found === undefined) return;
    const state = () => this.#state(topic, partition, maxOutageMs);
    const now = await state();
    const begin = { topicId: found.id, offset: await this.#firstOffset(options, now), end: now.end };
    const keys = partitionKeys(this.#connection.prefix, topic, partition);
    const batchAt = (endOffset: number) =>
      idempotently(this.#connection, `look at topic "${topic}"`, (c) => entryAt(c, keys, endOffset), maxOutageMs);
    const fetch = new BatchFetch(this.#connection, keys, maxOutageMs);
    const context = { topic: find, state, batchAt, fetch, codecs: this.#codecs };
    yield* new PartitionScan<T>(options, context, begin).batches();
  }

  async #firstOffset(options: ReadOptions, state: PartitionState): Promise<number> {
    const { from, topic, partition } = options;
    if (from === 'earliest') return state.start;
    if (from === 'latest') return state.end;
    if (typeof from === 'object') return this.offsetForTimestamp(topic, partition, from.timestamp);
    return offsetWithin(options, from, state);
  }

  async #state(topic: string, partition: number, timeoutMs?: number): Promise<PartitionState> {
    const keys = partitionKeys(this.#connection.prefix, topic, partition);
    const look = (client: RedisClient) => partitionState(client, keys);
    const state = await idempotently(this.#connection, `look at topic "${topic}"`, look, timeoutMs);
    if (state === undefined) throw new TopicNotFoundError(topic);
    return state;
  }
}

/** The records of a batch; none when it cannot be read. */
function readable(frame: Buffer, endOffset: number, appendedAt: number | undefined): readonly StoredRecord[] {
  try {
    return decodeBatch(frame, endOffset, { appendedAt }).records;
  } catch (error) {
    if (error instanceof CodecError) return [];
    throw error;
  }
}
