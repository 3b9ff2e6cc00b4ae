import {
  assertNoProblem,
  type Codec,
  CodecError,
  type CodecRegistry,
  type Headers,
  messageOf,
  TopicNotFoundError,
  timestampProblem,
} from '@millrace/core';
import type { RedisClient, RedisConnection } from '@millrace/redis';
import { idempotently } from '../idempotent-call.js';
import { decodeBatch } from '../model/batch-compression.js';
import { nearestOffset, OffsetOutOfRangeError } from '../model/read-range.js';
import { partitionKeys } from '../store/keys.js';
import { type PartitionState, partitionState } from '../store/partition.js';
import { entryAt, type StoredBatch } from '../store/read.js';
import { searchTime } from '../store/time-search.js';
import type { Topics } from '../topics/topics.js';
import { BatchFetch } from './batch-fetch.js';
import { type ReadInput, type ReadOptions, resolveReadOptions } from './read-options.js';
import { ReadTrail } from './read-trail.js';
import { type RecordIterator, RecordStream } from './record-stream.js';

/** A record as it is read. */
export interface LogRecord<T = unknown> {
  /** The topic it stands in. */
  readonly topic: string;
  /** The partition's number, from 0. */
  readonly partition: number;
  /** Its place in the partition, from 0. */
  readonly offset: number;
  /** When it happened, in ms since 1970: its producer's clock; with `timestamps: 'append'` when it was appended. */
  readonly timestamp: number;
  /** Undefined for a record that was sent without one. */
  readonly key: string | undefined;
  /** What was sent with it. */
  readonly headers: Headers;
  /** Decoded with the codec it was written with. */
  readonly value: T;
}

const noRecords: PartitionState = Object.freeze({ start: 0, end: 0, bytes: 0 });

/** Reads partitions without a group: nobody's offset moves. */
export class PartitionReader {
  readonly #connection: RedisConnection;
  readonly #topics: Topics;
  readonly #codecs: CodecRegistry;

  constructor(connection: RedisConnection, topics: Topics, codecs: CodecRegistry) {
    this.#connection = connection;
    this.#topics = topics;
    this.#codecs = codecs;
  }

  /** Where a partition's log begins and ends. @throws {TopicNotFoundError} @throws {InvalidMessageError} no such partition */
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
    // The batch that was found holds the record, unless what once raised the log's highest time is gone: then go on.
    const fetch = new BatchFetch(this.#connection, keys, 30_000);
    for (let position = near; position < state.end; ) {
      const batches = await fetch.next(position);
      if (batches.length === 0) break;
      for (const { endOffset, frame, timestamp: appendedAt } of batches) {
        const found = decodeBatch(frame, endOffset, { appendedAt }).records.find(
          (record) => record.timestamp >= timestamp && record.offset >= state.start,
        );
        if (found !== undefined) return found.offset;
        position = endOffset;
      }
    }
    return state.end;
  }

  /** The records of one partition, in order. What comes next is fetched while the caller handles what came before, and no more. */
  read<T = unknown>(input: ReadInput): RecordIterator<LogRecord<T>> {
    return new RecordStream(this.readBatches<T>(input));
  }

  /** As `read`, a batch at a time: faster where each record is a small matter. */
  async *readBatches<T = unknown>(input: ReadInput): AsyncGenerator<LogRecord<T>[], void, void> {
    const options = resolveReadOptions(input);
    const find = () => this.#topics.withPartition(options.topic, options.partition, options.maxOutageMs);
    // What follows the end of a topic needs one that is there.
    const found = options.tail ? await find() : await this.#topics.unlessAwaited(options.topic, find);
    if (found === undefined) return;
    let { id } = found;
    const state = await this.#state(options.topic, options.partition, options.maxOutageMs);
    const to = options.to ?? (options.tail ? Number.POSITIVE_INFINITY : state.end);
    const keys = partitionKeys(this.#connection.prefix, options.topic, options.partition);
    const fetch = new BatchFetch(this.#connection, keys, options.maxOutageMs);
    let position = await this.#firstOffset(options, state);
    let trail = new ReadTrail(position);
    let next: Promise<StoredBatch[]> | undefined;
    // Where the log goes on that is there now; undefined: it still is the one that was read.
    const startedAnew = async (): Promise<number | undefined> => {
      const now = await this.#declaredAgain(options, id, position);
      if (now === undefined) return undefined;
      ({ id } = now);
      trail = new ReadTrail(now.start);
      return now.start;
    };
    try {
      reading: while (position < to && !options.signal?.aborted) {
        let batches = await (next ?? fetch.next(position));
        next = undefined;
        if (batches.length === 0) {
          if (!options.tail) return;
          batches = await fetch.wait(position, options.signal);
          if (batches.length === 0)
            position = (await startedAnew()) ?? (await this.#stillThere(options, position, trail));
        }
        const last = batches.at(-1)?.endOffset ?? to;
        if (last < to && (!options.tail || batches.length > 1)) next = fetch.next(last);
        next?.catch(() => undefined);
        for (const batch of batches) {
          if (!trail.leadsTo(batch)) {
            const begin = (await startedAnew()) ?? (await this.#cutBefore(options, position, trail));
            if (begin !== undefined) {
              position = begin;
              next = undefined;
              continue reading;
            }
          }
          const records = this.#decode<T>(options, batch, position, to, trail);
          if (records.length > 0) yield records;
          position = batch.endOffset;
          if (options.signal?.aborted) return;
        }
      }
    } finally {
      fetch.close();
    }
  }

  async #firstOffset(options: ReadOptions, state: PartitionState): Promise<number> {
    const { from, topic, partition } = options;
    if (from === 'earliest') return state.start;
    if (from === 'latest') return state.end;
    if (typeof from === 'object') return this.offsetForTimestamp(topic, partition, from.timestamp);
    return this.#checked(options, from, state);
  }

  /**
   * The topic that has the name now, if it is another than `id`.
   *
   * @throws {OffsetOutOfRangeError} it is, and the caller wants to be told
   */
  async #declaredAgain(
    { topic, partition, outOfRange, maxOutageMs }: ReadOptions,
    id: number,
    position: number,
  ): Promise<{ readonly id: number; readonly start: number } | undefined> {
    const now = await this.#topics.withPartition(topic, partition, maxOutageMs);
    if (now.id === id) return undefined;
    const { start, end } = await this.#state(topic, partition, maxOutageMs);
    if (outOfRange === 'continue') return { id: now.id, start };
    throw new OffsetOutOfRangeError(topic, partition, position, start, end, 'the topic was deleted and declared again');
  }

  /** Nothing came for a while: perhaps the topic is gone, or a failover lost the end of its log. */
  async #stillThere(options: ReadOptions, position: number, trail: ReadTrail): Promise<number> {
    const state = await this.#state(options.topic, options.partition, options.maxOutageMs);
    const nearest = this.#checked(options, position, state);
    return nearest < position ? this.#newestKept(options, trail) : nearest;
  }

  /** Where to go on before `position`, where the log has other records than were read; undefined: it has not, or that is an error. */
  async #cutBefore(options: ReadOptions, position: number, trail: ReadTrail): Promise<number | undefined> {
    if (options.outOfRange === 'fail') return undefined;
    const kept = await this.#newestKept(options, trail);
    return kept < position ? kept : undefined;
  }

  /** The end of what was read and is still there. Where that is not known, records are read again rather than passed over. */
  async #newestKept({ topic, partition, maxOutageMs }: ReadOptions, trail: ReadTrail): Promise<number> {
    const keys = partitionKeys(this.#connection.prefix, topic, partition);
    const find = (endOffset: number) =>
      idempotently(this.#connection, `look at topic "${topic}"`, (c) => entryAt(c, keys, endOffset), maxOutageMs);
    const kept = await trail.newestKept(find);
    return nearestOffset(kept, await this.#state(topic, partition, maxOutageMs));
  }

  #checked({ topic, partition, outOfRange }: ReadOptions, offset: number, state: PartitionState): number {
    const nearest = nearestOffset(offset, state);
    if (nearest === offset || outOfRange === 'continue') return nearest;
    throw new OffsetOutOfRangeError(topic, partition, offset, state.start, state.end);
  }

  #decode<T>(options: ReadOptions, batch: StoredBatch, position: number, to: number, trail: ReadTrail): LogRecord<T>[] {
    const { topic, partition } = options;
    const where = `topic "${topic}", partition ${partition}`;
    const { codecId, records } = explained(`${where}, the batch that ends at ${batch.endOffset}`, () =>
      decodeBatch(batch.frame, batch.endOffset, { appendedAt: batch.timestamp }),
    );
    const codec = this.#codecs.get(codecId) as Codec<T>;
    const first = records[0]?.offset ?? position;
    if (first > position && options.outOfRange === 'fail') {
      throw new OffsetOutOfRangeError(topic, partition, position, first, batch.endOffset);
    }
    if (!trail.isFollowedBy(batch, first) && options.outOfRange === 'fail') {
      const lost = position - 1;
      throw new OffsetOutOfRangeError(topic, partition, lost, Math.min(first, lost), batch.endOffset);
    }
    trail.set(batch);
    const read: LogRecord<T>[] = [];
    for (const { offset, timestamp, key, headers, value } of records) {
      if (offset < position || offset >= to) continue;
      const decoded = explained(`${where}, offset ${offset}`, () => codec.decode(value));
      read.push({ topic, partition, offset, timestamp, key, headers, value: decoded });
    }
    return read;
  }

  async #state(topic: string, partition: number, timeoutMs?: number): Promise<PartitionState> {
    const keys = partitionKeys(this.#connection.prefix, topic, partition);
    const look = (client: RedisClient) => partitionState(client, keys);
    const state = await idempotently(this.#connection, `look at topic "${topic}"`, look, timeoutMs);
    if (state === undefined) throw new TopicNotFoundError(topic);
    return state;
  }
}

function explained<T>(where: string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw new CodecError(`${where} cannot be decoded: ${messageOf(cause)}`, { cause });
  }
}
