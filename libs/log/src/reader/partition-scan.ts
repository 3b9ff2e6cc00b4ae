import { type Codec, CodecError, type CodecRegistry, messageOf, pause } from '@millrace/core';
import { decodeBatch } from '../model/batch-compression.js';
import { nearestOffset, OffsetOutOfRangeError } from '../model/read-range.js';
import type { Topic } from '../model/topic.js';
import type { Anchor } from '../store/commit.js';
import type { PartitionState } from '../store/partition.js';
import type { StoredBatch } from '../store/read.js';
import type { BatchFetch } from './batch-fetch.js';
import type { LogRecord } from './log-record.js';
import type { ReadOptions } from './read-options.js';
import { ReadTrail } from './read-trail.js';

/** How often to check the end of a log past which another program has written. */
const lookAgainMs = 1000;

/** What a scan reads with. */
interface ScanContext {
  /** The topic that has the name now. @throws {TopicNotFoundError} */
  topic(): Promise<Topic>;
  /** The start and end of its log. @throws {TopicNotFoundError} */
  state(): Promise<PartitionState>;
  /** The batch that ends at an offset. */
  batchAt(endOffset: number): Promise<Anchor | undefined>;
  readonly fetch: BatchFetch;
  readonly codecs: CodecRegistry;
}

/** Reads one partition, batch by batch, and checks that its log is still the one that the read began with. */
export class PartitionScan<T> {
  readonly #options: ReadOptions;
  readonly #context: ScanContext;
  readonly #to: number;
  #topicId: number;
  #position: number;
  #trail: ReadTrail;
  /** The next batches, fetched while the caller handles the previous ones. */
  #ahead: Promise<StoredBatch[]> | undefined;

  /** @param begin the topic that is read, the offset to start at, and the end of its log */
  constructor(
    options: ReadOptions,
    context: ScanContext,
    begin: { readonly topicId: number; readonly offset: number; readonly end: number },
  ) {
    this.#options = options;
    this.#context = context;
    this.#to = options.to ?? (options.tail ? Number.POSITIVE_INFINITY : begin.end);
    this.#topicId = begin.topicId;
    this.#position = begin.offset;
    this.#trail = new ReadTrail(begin.offset);
  }

  async *batches(): AsyncGenerator<LogRecord<T>[], void, void> {
    const { signal } = this.#options;
    try {
      while (this.#position < this.#to && !signal?.aborted) {
        const batches = await this.#next();
        if (batches === undefined) return;
        const foreign: StoredBatch[] = [];
        const from = this.#position;
        for (const batch of batches) {
          if (this.#isForeign(batch)) {
            foreign.push(batch);
            continue;
          }
          if (!this.#trail.leadsTo(batch) && ((await this.#startsOver()) || (await this.#goesBack()))) break;
          const records = this.#decode(batch);
          if (records.length > 0) yield records;
          this.#position = batch.endOffset;
          if (signal?.aborted) return;
        }
        if (foreign.length > 0 && this.#position === from && !(await this.#passOver(foreign))) return;
      }
    } finally {
      this.#context.fetch.close();
    }
  }

  /** What follows the position; empty when nothing came for a while; undefined at the end. */
  async #next(): Promise<StoredBatch[] | undefined> {
    const { tail, signal } = this.#options;
    const { fetch } = this.#context;
    let batches = await (this.#ahead ?? fetch.next(this.#position));
    this.#ahead = undefined;
    if (batches.length === 0) {
      if (!tail) return undefined;
      batches = await fetch.wait(this.#position, signal);
      if (signal?.aborted) return undefined;
      if (batches.length === 0 && !(await this.#startsOver())) await this.#checkPosition();
    }
    const last = batches.at(-1)?.endOffset ?? this.#to;
    if (last < this.#to && (!tail || batches.length > 1)) this.#ahead = fetch.next(last);
    this.#ahead?.catch(() => undefined);
    return batches;
  }

  /** Whether another program wrote an entry, judged by its id, or because it lacks fields that the batch before it has. */
  #isForeign({ endOffset, nonce }: StoredBatch): boolean {
    return Number.isNaN(endOffset) || (nonce === undefined && this.#trail.last?.nonce !== undefined);
  }

  /** Continues past entries that do not belong to the log; false at its end. */
  async #passOver(foreign: readonly StoredBatch[]): Promise<boolean> {
    const { end } = await this.#context.state();
    const last = foreign.filter(({ endOffset }) => endOffset <= end).at(-1);
    if (last !== undefined) this.#position = last.endOffset;
    else if (!this.#options.tail) return false;
    // Past the log's end it is removed before a record comes.
    else await pause(lookAgainMs);
    return true;
  }

  /**
   * Continues at the beginning of the present log, if it belongs to another topic.
   *
   * @throws {OffsetOutOfRangeError} it does, and `outOfRange` is not `continue`
   */
  async #startsOver(): Promise<boolean> {
    const { topic, partition, outOfRange } = this.#options;
    const { id } = await this.#context.topic();
    if (id === this.#topicId) return false;
    const { start, end } = await this.#context.state();
    if (outOfRange === 'fail') {
      const why = 'the topic was deleted and declared again';
      throw new OffsetOutOfRangeError(topic, partition, this.#position, start, end, why);
    }
    this.#topicId = id;
    this.#goTo(start);
    this.#trail = new ReadTrail(start);
    return true;
  }

  /** Nothing came for a while: the topic may be gone, or a failover may have lost the end of its log. */
  async #checkPosition(): Promise<void> {
    const nearest = offsetWithin(this.#options, this.#position, await this.#context.state());
    this.#position = nearest < this.#position ? await this.#newestKept() : nearest;
  }

  /** Goes back to the newest batch that still exists, if the log has other records than were read and the caller allows it. */
  async #goesBack(): Promise<boolean> {
    if (this.#options.outOfRange === 'fail') return false;
    const kept = await this.#newestKept();
    if (kept >= this.#position) return false;
    this.#goTo(kept);
    return true;
  }

  /** The end of what was read and still exists. If that is unknown, records are read again rather than skipped. */
  async #newestKept(): Promise<number> {
    const kept = await this.#trail.newestKept((endOffset) => this.#context.batchAt(endOffset));
    return nearestOffset(kept, await this.#context.state());
  }

  #goTo(offset: number): void {
    this.#position = offset;
    this.#ahead = undefined;
  }

  #decode(batch: StoredBatch): LogRecord<T>[] {
    const { topic, partition, outOfRange } = this.#options;
    const where = `topic "${topic}", partition ${partition}`;
    const { codecId, records } = explained(`${where}, the batch that ends at ${batch.endOffset}`, () =>
      decodeBatch(batch.frame, batch.endOffset, { appendedAt: batch.timestamp }),
    );
    const codec = this.#context.codecs.get(codecId) as Codec<T>;
    const position = this.#position;
    const first = records[0]?.offset ?? position;
    if (first > position && outOfRange === 'fail') {
      throw new OffsetOutOfRangeError(topic, partition, position, first, batch.endOffset);
    }
    if (!this.#trail.isFollowedBy(batch, first) && outOfRange === 'fail') {
      const lost = position - 1;
      throw new OffsetOutOfRangeError(topic, partition, lost, Math.min(first, lost), batch.endOffset);
    }
    this.#trail.set(batch);
    const read: LogRecord<T>[] = [];
    for (const { offset, timestamp, key, headers, value } of records) {
      if (offset < position || offset >= this.#to) continue;
      const decoded = explained(`${where}, offset ${offset}`, () => codec.decode(value));
      read.push({ topic, partition, offset, timestamp, key, headers, value: decoded });
    }
    return read;
  }
}

/** The offset, or the nearest one that the log holds. @throws {OffsetOutOfRangeError} `outOfRange` is not `continue` */
export function offsetWithin(
  { topic, partition, outOfRange }: ReadOptions,
  offset: number,
  state: PartitionState,
): number {
  const nearest = nearestOffset(offset, state);
  if (nearest === offset || outOfRange === 'continue') return nearest;
  throw new OffsetOutOfRangeError(topic, partition, offset, state.start, state.end);
}

function explained<T>(where: string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw new CodecError(`${where} cannot be decoded: ${messageOf(cause)}`, { cause });
  }
}
