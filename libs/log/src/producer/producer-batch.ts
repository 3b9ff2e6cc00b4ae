import { type MillraceError, startTimer, stopTimer, type Timer } from '@millrace/core';
import type { RedisFailure } from '@millrace/redis';
import { compress } from '../model/batch-compression.js';
import { type BatchEvent, type BatchState, batchStateAfter, isSent, isSettled } from '../model/batch-state.js';
import { type Compression, frameBatch, RecordBatchWriter } from '../model/record-batch.js';
import type { Topic } from '../model/topic.js';
import type { SlowestGroup } from '../store/append.js';
import { AppendedRecord } from './appended-record.js';
import type { PendingSend, PreparedRecord } from './pending-send.js';
import { minCompressedBytes } from './producer-options.js';

/**
 * One record batch for one partition, from its first record until Redis has confirmed it or it is given up.
 *
 *     open ──▶ ready ⇄ in-flight ──▶ settled (or unanswered, until its reply): see BatchState
 */
export class ProducerBatch {
  /** The topic for which its records were encoded. Another topic may have its name now. */
  readonly topic: Topic;
  readonly createdAt: number;
  #state: BatchState = 'open';
  /** Defined from the state `ready` on. */
  #frame: Buffer | undefined;
  maxTimestamp = 0;
  /** Its number among the producer's batches for the partition; −1: none yet. */
  epoch = -1;
  sequence = -1;
  // What its attempts have shown so far.
  /** Its last failure. */
  lastFailure: RedisFailure | undefined;
  /** The group that had read least when the topic's limit refused this batch. */
  slowestGroup: SlowestGroup | undefined;
  #mayBeWritten = false;
  readonly #writer: RecordBatchWriter;
  readonly #onSettled: (batch: ProducerBatch) => void;
  // Per record: its caller, its index in the caller's records, and its timestamp; the rest is in the writer. Three lists, not an object
  // per record: see docs/decisions/0008.
  readonly #sends: PendingSend[] = [];
  readonly #indexes: number[] = [];
  readonly #timestamps: number[] = [];
  #bytes = 0;
  #whenSettled: (() => void)[] = [];
  #timer: Timer | undefined;

  /** @param createdAt by this process's monotonic clock */
  constructor(topic: Topic, createdAt: number, expectedBytes: number, onSettled: (batch: ProducerBatch) => void) {
    this.topic = topic;
    this.createdAt = createdAt;
    this.#writer = new RecordBatchWriter(expectedBytes);
    this.#onSettled = onSettled;
  }

  get topicName(): string {
    return this.topic.name;
  }

  /** The number of records. */
  get count(): number {
    return this.#sends.length;
  }

  /** Bytes of its records, as the buffer counts them. */
  get bytes(): number {
    return this.#bytes;
  }

  get state(): BatchState {
    return this.#state;
  }

  /** What is stored in Redis; undefined until it is `ready`. */
  get frame(): Buffer | undefined {
    return this.#frame;
  }

  get isSettled(): boolean {
    return isSettled(this.#state);
  }

  get mayBeWritten(): boolean {
    return this.#mayBeWritten || isSent(this.#state);
  }

  add(record: PreparedRecord): void {
    this.#writer.add(record.timestamp, record.key, record.headers, record.value, record.valueBytes);
    this.#sends.push(record.pending);
    this.#indexes.push(record.index);
    this.#timestamps.push(record.timestamp);
    this.#bytes += record.bytes;
    if (record.timestamp > this.maxTimestamp) this.maxTimestamp = record.timestamp;
  }

  /** Resolves when it is confirmed or has failed. */
  settled(): Promise<void> {
    return this.isSettled ? Promise.resolve() : new Promise((resolve) => this.#whenSettled.push(resolve));
  }

  /** Calls `giveUp` unless the batch is settled within `timeoutMs`. */
  expireAfter(timeoutMs: number, giveUp: (batch: ProducerBatch) => void): void {
    this.#timer = startTimer(giveUp, timeoutMs, this);
  }

  /** Makes its frame; returns a promise only if there is something to compress. It takes no more records. */
  makeFrame(codecId: number, compression: Compression): Promise<void> | undefined {
    if (compression === 'none' || this.#writer.bytes < minCompressedBytes) {
      this.#framed(this.#writer.finishFrame(codecId));
      return undefined;
    }
    const { count, baseTimestamp } = this.#writer;
    const body = this.#writer.finish();
    const framed = (kind: Compression, bytes: Buffer): void =>
      this.#framed(frameBatch({ codecId, compression: kind, count, baseTimestamp, body: bytes }));
    return compress(compression, body).then(
      (compressed) => (compressed.length < body.length ? framed(compression, compressed) : framed('none', body)),
      // Declared by a process with a newer Node: readers accept both.
      () => framed('none', body),
    );
  }

  /** It is on its way to Redis. */
  sent(): void {
    this.#enter('sent');
  }

  /** Its transmission is over, with or without a reply. */
  replied(): void {
    this.#enter('replied');
  }

  /** An attempt to send it failed. */
  note(failure: RedisFailure): void {
    this.lastFailure = failure;
    if (failure.mayBeWritten) this.#mayBeWritten = true;
  }

  /**
   * Redis has it, from this offset on; −1 when the offset is not awaited. `appendedAt`: the records' timestamp, unless each has its own.
   */
  confirm(baseOffset: number, partition: number, appendedAt?: number): void {
    if (!this.#end()) return;
    for (let index = 0; index < this.count; index++) {
      const offset = baseOffset < 0 ? -1 : baseOffset + index;
      const timestamp = appendedAt ?? this.#timestamps[index]!;
      const place = new AppendedRecord(this.topicName, partition, offset, timestamp);
      this.#sends[index]!.confirm(this.#indexes[index]!, place);
    }
    this.#forget();
  }

  fail(error: MillraceError): void {
    if (!this.#end()) return;
    for (let index = 0; index < this.count; index++) this.#sends[index]!.fail(this.#indexes[index]!, error);
    this.#forget();
  }

  /** Drops references early: an old batch is collected late, and with it everything that it references. */
  #forget(): void {
    this.#sends.length = this.#indexes.length = this.#timestamps.length = 0;
  }

  #end(): boolean {
    if (this.isSettled) return false;
    this.#enter('settled');
    stopTimer(this.#timer);
    this.#onSettled(this);
    for (const resolve of this.#whenSettled) resolve();
    return true;
  }

  #framed(frame: Buffer): void {
    this.#frame = frame;
    this.#enter('framed');
  }

  #enter(event: BatchEvent): void {
    this.#state = batchStateAfter(this.#state, event);
  }
}
