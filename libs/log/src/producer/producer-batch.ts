import { type MillraceError, startTimer, stopTimer, type Timer } from '@millrace/core';
import type { RedisFailure } from '@millrace/redis';
import { compress } from '../model/batch-compression.js';
import { type Compression, frameBatch, RecordBatchWriter } from '../model/record-batch.js';
import type { Topic } from '../model/topic.js';
import type { SlowestGroup } from '../store/append.js';
import type { Parcel, PreparedRecord } from './parcel.js';
import { minCompressedBytes } from './producer-options.js';
import { RecordPlace } from './record-place.js';

/** One record batch for one partition, from its first record until Redis has confirmed it or it is given up. */
export class ProducerBatch {
  /** The topic for which its records were encoded. Another topic may have its name now. */
  readonly topic: Topic;
  readonly createdAt: number;
  /** Its frame, once it is closed and compressed. */
  frame: Buffer | undefined;
  /** Its number among the producer's batches for the partition; −1: none yet. */
  epoch = -1;
  sequence = -1;
  maxTimestamp = 0;
  /** Sent, without a reply yet. */
  isUnanswered = false;
  /** Its last failure. */
  lastFailure: RedisFailure | undefined;
  /** The group that had read least when the topic's limit refused this batch. */
  slowestGroup: SlowestGroup | undefined;
  #mayBeWritten = false;
  #isSettled = false;
  readonly #writer: RecordBatchWriter;
  readonly #onSettled: (batch: ProducerBatch) => void;
  // Per record: its caller, its index in the caller's records, and its timestamp. Three lists, since the rest is in the
  // writer: an object per record would be kept, and copied by the garbage collector, until Redis replies.
  readonly #parcels: Parcel[] = [];
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
    return this.#parcels.length;
  }

  /** Bytes of its records, as the buffer counts them. */
  get bytes(): number {
    return this.#bytes;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  get mayBeWritten(): boolean {
    return this.#mayBeWritten || this.isUnanswered;
  }

  add(record: PreparedRecord): void {
    this.#writer.add(record.timestamp, record.key, record.headers, record.value, record.valueBytes);
    this.#parcels.push(record.parcel);
    this.#indexes.push(record.index);
    this.#timestamps.push(record.timestamp);
    this.#bytes += record.bytes;
    if (record.timestamp > this.maxTimestamp) this.maxTimestamp = record.timestamp;
  }

  /** Resolves when it is confirmed or has failed. */
  settled(): Promise<void> {
    return this.#isSettled ? Promise.resolve() : new Promise((resolve) => this.#whenSettled.push(resolve));
  }

  /** Calls `giveUp` unless the batch is settled within `timeoutMs`. */
  expireAfter(timeoutMs: number, giveUp: (batch: ProducerBatch) => void): void {
    this.#timer = startTimer(giveUp, timeoutMs, this);
  }

  /** Closes the batch and makes its frame; returns a promise only if there is something to compress. */
  close(codecId: number, compression: Compression): Promise<void> | undefined {
    if (compression === 'none' || this.#writer.bytes < minCompressedBytes) {
      this.frame = this.#writer.finishFrame(codecId);
      return undefined;
    }
    const { count, baseTimestamp } = this.#writer;
    const body = this.#writer.finish();
    const frame = (kind: Compression, bytes: Buffer): void => {
      this.frame = frameBatch({ codecId, compression: kind, count, baseTimestamp, body: bytes });
    };
    return compress(compression, body).then(
      (compressed) => (compressed.length < body.length ? frame(compression, compressed) : frame('none', body)),
      // Declared by a process with a newer Node: readers accept both.
      () => frame('none', body),
    );
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
      const place = new RecordPlace(this.topicName, partition, offset, timestamp);
      this.#parcels[index]!.confirm(this.#indexes[index]!, place);
    }
    this.#forget();
  }

  fail(error: MillraceError): void {
    if (!this.#end()) return;
    for (let index = 0; index < this.count; index++) this.#parcels[index]!.fail(this.#indexes[index]!, error);
    this.#forget();
  }

  /** Drops references early: an old batch is collected late, and with it everything that it references. */
  #forget(): void {
    this.#parcels.length = this.#indexes.length = this.#timestamps.length = 0;
  }

  #end(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    stopTimer(this.#timer);
    this.#onSettled(this);
    for (const tell of this.#whenSettled) tell();
    return true;
  }
}
