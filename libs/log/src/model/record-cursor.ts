import { isAscii } from 'node:buffer';
import { ByteReader, CodecError, type Headers, noHeaders, readHeaders } from '@millrace/core';
import type { RecordBatch } from './record-batch.js';

/**
 * Iterates over the records of a batch without making an object or a view for any of them: `next` advances, and the fields
 * are those of the current record.
 */
export class RecordCursor {
  readonly body: Buffer;
  /** The body as a string, when it is ASCII: one conversion for all its values instead of one per value. */
  readonly text: string | undefined;
  offset: number;
  timestamp = 0;
  key: string | undefined;
  headers: Headers = noHeaders;
  /** The range of the value's bytes in `body`. */
  start = 0;
  end = 0;
  readonly #reader: ByteReader;
  readonly #baseTimestamp: number;
  readonly #appendedAt: number | undefined;
  #left: number;

  /**
   * @param endOffset the log's end after the batch
   * @param appendedAt the timestamp of all its records, unless each has its own
   * @throws {CodecError} the body cannot hold so many records
   */
  constructor(batch: RecordBatch, body: Buffer, endOffset: number, appendedAt: number | undefined) {
    if (batch.count * 4 > body.length) throw new CodecError(`record batch is too short for its ${batch.count} records`);
    this.body = body;
    this.text = isAscii(body) ? body.toString('latin1') : undefined;
    this.offset = endOffset - batch.count - 1;
    this.#baseTimestamp = batch.baseTimestamp;
    this.#appendedAt = appendedAt;
    this.#left = batch.count;
    this.#reader = new ByteReader(body);
  }

  /** False when there are no more records. @throws {CodecError} the bytes are invalid from here on */
  next(): boolean {
    if (this.#left === 0) return false;
    const reader = this.#reader;
    const ownTimestamp = this.#baseTimestamp + reader.signedVarint();
    this.timestamp = this.#appendedAt ?? ownTimestamp;
    this.key = reader.byte() === 0 ? undefined : reader.text();
    this.headers = readHeaders(reader);
    const length = reader.varint();
    this.start = reader.position;
    reader.skip(length);
    this.end = this.start + length;
    this.offset++;
    this.#left--;
    return true;
  }
}
