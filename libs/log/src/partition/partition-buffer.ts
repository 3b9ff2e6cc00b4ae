import { Fifo, noHeaders, rawCodec } from '@millrace/core';
import { headOf, whyNotYetReadable } from '../model/batch-compression.js';
import type { EntryPlace, ReadSoFar } from '../model/entry-chain.js';
import type { RecordCursor } from '../model/record-cursor.js';
import type { StoredBatch } from '../store/read.js';
import type { DecodedShare } from './decoded-bytes.js';
import { damageOf, type FetchedBatch } from './fetched-batch.js';
import type { ReadPosition } from './read-position.js';
import { type BufferedBatch, type RecordSource, RecordTask } from './record-task.js';
import { ValueRun } from './value-run.js';

/** How many records are looked at together, fewer when their values are large: more would not be cheaper. */
const runLength = 32;
const runBytes = 64 * 1024;

/** The result of feeding fetched batches. */
export type FeedResult =
  | { readonly kind: 'fed' }
  /** A batch can only be read by a newer process: neither it nor what follows was taken. */
  | { readonly kind: 'unreadable'; readonly why: string }
  /** An entry is not the next one, by its own fields. It was not taken: Redis must be asked what it is. */
  | { readonly kind: 'unexpected'; readonly entry: UnexpectedEntry };

/** An entry that is not the next one, and what was read before it. */
export interface UnexpectedEntry {
  readonly entry: EntryPlace;
  /** The number of records in its frame; undefined: it cannot be read. */
  readonly count: number | undefined;
  readonly read: ReadSoFar;
}

/**
 * Records of one partition that were read and are not finished. It counts what it holds, in records and in bytes: a
 * batch counts whole until none of its records needs it any more.
 */
export class PartitionBuffer {
  readonly #source: RecordSource;
  readonly #offsets: { isDone(offset: number): boolean; attemptsOf(offset: number): number };
  readonly #reading: ReadPosition;
  readonly #decoded: DecodedShare;
  readonly #batches = new Fifo<FetchedBatch>();
  #records = 0;
  #bytes = 0;
  #unread = 0;
  #recordsPerBatch = 0;
  #bytesPerBatch = 0;

  constructor(
    source: RecordSource,
    offsets: { isDone(offset: number): boolean; attemptsOf(offset: number): number },
    reading: ReadPosition,
    decoded: DecodedShare,
  ) {
    this.#source = source;
    this.#offsets = offsets;
    this.#reading = reading;
    this.#decoded = decoded;
  }

  /** Records that are not finished. */
  get records(): number {
    return this.#records;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Records not yet returned by `pull`. */
  get unread(): number {
    return this.#unread;
  }

  /** How many batches fit into this room, estimated from the last ones. */
  batchesFor(records: number, bytes: number): number {
    // Nothing is known before the first batch: a few, so that large batches do not all arrive together.
    if (this.#recordsPerBatch === 0) return 4;
    const batches = Math.min(records / this.#recordsPerBatch, bytes / this.#bytesPerBatch);
    return Math.max(1, Math.min(1000, Math.floor(batches)));
  }

  /** Takes batches that were read from `readFrom`. */
  feed(batches: readonly StoredBatch[]): FeedResult {
    for (const batch of batches) {
      const { frame, endOffset } = batch;
      if (endOffset <= this.#reading.position) continue;
      const why = whyNotYetReadable(frame);
      const head = why === undefined ? headOf(frame) : undefined;
      // A batch that only a newer process can read has as many records as it occupies offsets.
      const count = why === undefined ? head?.count : endOffset - this.#reading.position;
      if (!this.#reading.isNext(batch, count)) {
        return { kind: 'unexpected', entry: { entry: batch, count, read: this.#reading.readSoFar } };
      }
      if (why !== undefined) return { kind: 'unreadable', why };
      this.#take(batch, head);
    }
    return { kind: 'fed' };
  }

  /** The next record that is not done yet, in the order of the log. */
  pull(): RecordTask | undefined {
    for (let batch = this.#batches.peek(); batch !== undefined; batch = this.#batches.peek()) {
      const task = this.#pullFrom(batch);
      if (task !== undefined) return task;
      if (batch.isWaiting) return undefined;
      this.#batches.shift();
    }
    return undefined;
  }

  /** A record is finished. */
  release(task: RecordTask): void {
    this.#records--;
    if (task.batch !== undefined) this.#free(task.batch);
    else this.#bytes -= task.length;
    task.batch = undefined;
  }

  /** A record will wait long: copies its bytes, so that it does not keep its whole batch in memory. */
  detach(task: RecordTask): void {
    const { batch } = task;
    if (batch === undefined) return;
    task.detach();
    this.#bytes += task.length;
    this.#free(batch);
  }

  #take(batch: StoredBatch, head: { readonly codecId: number; readonly count: number } | undefined): void {
    const { frame, endOffset, nonce, timestamp } = batch;
    const next = this.#reading.position;
    const live = endOffset - next;
    this.#batches.push({
      end: endOffset,
      frame,
      nonce,
      timestamp,
      codecId: head?.codecId ?? rawCodec.id,
      bytes: frame.length,
      live,
      cursor: undefined,
      next,
      ahead: [],
      taken: 0,
      isWaiting: false,
      damage: damageOf(frame, head, this.#reading.readSoFar, endOffset),
    });
    this.#reading.take(batch);
    this.#records += live;
    this.#unread += live;
    this.#bytes += frame.length;
    const count = head?.count ?? 1;
    this.#recordsPerBatch += (count - this.#recordsPerBatch) * (this.#recordsPerBatch === 0 ? 1 : 0.2);
    this.#bytesPerBatch += (frame.length - this.#bytesPerBatch) * (this.#bytesPerBatch === 0 ? 1 : 0.2);
  }

  /** No record will be taken for a while: what was decoded is dropped, so that others may go on, and is decoded again. */
  rest(): void {
    for (const batch of this.#batches) {
      if (!this.#decoded.has(batch)) continue;
      for (const task of batch.ahead.slice(batch.taken)) this.detach(task);
      batch.cursor = undefined;
    }
    this.#bytes -= this.#decoded.clear();
  }

  /** Forgets everything. */
  clear(): void {
    this.#batches.clear();
    this.#decoded.clear();
    this.#records = 0;
    this.#unread = 0;
    this.#bytes = 0;
  }

  #pullFrom(batch: FetchedBatch): RecordTask | undefined {
    if (batch.taken === batch.ahead.length) this.#lookAhead(batch);
    const task = batch.ahead[batch.taken];
    if (task === undefined) return batch.damage === undefined ? undefined : this.#damaged(batch, batch.damage.error);
    batch.taken++;
    this.#unread--;
    return task;
  }

  #lookAhead(batch: FetchedBatch): void {
    batch.ahead = [];
    batch.taken = 0;
    // Of a batch that rested, what it was decoded to is gone: not for nothing is it decoded again.
    if (batch.damage !== undefined || batch.next === batch.end) return;
    batch.isWaiting = !this.#decoded.admits(batch);
    if (batch.isWaiting) return;
    try {
      const { bytes } = batch;
      batch.cursor ??= this.#decoded.decode(batch);
      this.#bytes += batch.bytes - bytes;
      this.#readRun(batch, batch.cursor);
    } catch (error) {
      batch.damage = { error };
    }
  }

  #readRun(batch: FetchedBatch, cursor: RecordCursor): void {
    const values = cursor.text === undefined ? undefined : new ValueRun(cursor.text);
    for (let bytes = 0; batch.ahead.length < runLength && bytes < runBytes && cursor.next(); ) {
      const { offset } = cursor;
      if (offset < batch.next) continue;
      batch.next = offset + 1;
      if (this.#offsets.isDone(offset)) {
        this.#unread--;
        this.#records--;
        this.#free(batch);
        continue;
      }
      const attempt = this.#offsets.attemptsOf(offset) + 1;
      batch.ahead.push(new RecordTask(this.#source, cursor, values, batch, batch.codecId, attempt));
      bytes += cursor.end - cursor.start;
    }
  }

  /** The unreadable part of a batch becomes one task that stands for all those records. */
  #damaged(batch: FetchedBatch, error: unknown): RecordTask | undefined {
    const count = batch.end - batch.next;
    if (count <= 0) return undefined;
    const { frame: body, next: offset, timestamp = 0 } = batch;
    const place = { offset, timestamp, key: undefined, headers: noHeaders, body, start: 0 };
    const task = new RecordTask(this.#source, { ...place, end: body.length }, undefined, batch, rawCodec.id, 1);
    task.lastOffset = batch.end - 1;
    task.deadLetter = { reason: 'undecodable', error };
    batch.next = batch.end;
    batch.live -= count - 1;
    this.#unread -= count;
    this.#records -= count - 1;
    return task;
  }

  #free(batch: BufferedBatch): void {
    batch.live--;
    if (batch.live > 0) return;
    this.#bytes -= batch.bytes;
    this.#decoded.drop(batch);
  }
}
