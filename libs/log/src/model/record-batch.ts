import { ByteReader, ByteWriter, CodecError, type Headers, readHeaders, writeHeaders } from '@millrace/core';
import type { StoredRecord } from './record.js';

/** The unit of storage and transfer, as in Kafka. docs/keyspace.md describes its bytes for readers in other languages. */
export interface RecordBatch {
  /** Id of the codec that encoded the values. */
  readonly codecId: number;
  readonly compression: Compression;
  readonly count: number;
  /** Timestamp of the first record. */
  readonly baseTimestamp: number;
  /** The records' bytes, possibly compressed. */
  readonly body: Buffer;
}

/** How a batch's body is compressed; the index is the number in the frame. */
export const compressions = ['none', 'zlib', 'brotli', 'zstd'] as const;
/** How batches are compressed; `zstd` needs a Node.js that has it. */
export type Compression = (typeof compressions)[number];

const frameVersion = 1;
/**
 * What a newer Millrace may have written: the next versions, and the next compressions. Bytes beyond these are damage,
 * which is skipped, while a batch that can be read after an upgrade is waited for.
 */
const newestVersion = frameVersion + 3;
const newestCompression = compressions.length + 3;

/** Why only a newer Millrace can read a frame; undefined when this one can, or the bytes are damaged. */
export function newerFormat(frame: Uint8Array): string | undefined {
  const [version = 0, compression = 0] = frame;
  if (version > frameVersion && version <= newestVersion) {
    return `has format version ${version}; this Millrace reads ${frameVersion}. Upgrade it.`;
  }
  if (version !== frameVersion || compression < compressions.length || compression > newestCompression)
    return undefined;
  return `has compression ${compression}, which this Millrace does not know. Upgrade it.`;
}

/** Collects encoded records into one batch body. */
export class RecordBatchWriter {
  readonly #body: ByteWriter;
  /** Records to be appended to the body, one byte per character: most are ASCII, and writing them one by one dominated the cost. */
  #text = '';
  #count = 0;
  #baseTimestamp = 0;

  constructor(initialBytes = 4096) {
    this.#body = new ByteWriter(initialBytes + headRoom).raw(emptyHead);
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes of the body at present. */
  get bytes(): number {
    return this.#body.length - headRoom + this.#text.length;
  }

  get baseTimestamp(): number {
    return this.#baseTimestamp;
  }

  /** Appends one record whose value is encoded. `valueBytes`: the value's length in bytes, if known. */
  add(
    timestamp: number,
    key: string | undefined,
    headers: Headers | undefined,
    value: Uint8Array | string,
    valueBytes?: number,
  ): void {
    if (this.#count++ === 0) this.#baseTimestamp = timestamp;
    const delay = timestamp - this.#baseTimestamp;
    // As many bytes as characters: ASCII.
    const isText = typeof value === 'string' && value.length === valueBytes && value.length < 0x4000;
    if (isText && key === undefined && headers === undefined && delay >= 0 && delay < 0x40) {
      this.#text += plainHead(delay, value.length) + value;
      return;
    }
    this.#writeText();
    this.#body.signedVarint(delay);
    if (key === undefined) this.#body.byte(0);
    else this.#body.byte(1).block(key);
    if (headers === undefined) this.#body.byte(0);
    else writeHeaders(this.#body, headers);
    this.#body.block(value, valueBytes);
  }

  /** The records' bytes, to be compressed and then framed by `frameBatch`. The writer cannot be used after that. */
  finish(): Buffer {
    this.#writeText();
    return this.#body.finish().subarray(headRoom);
  }

  /** The whole frame, uncompressed, without copying its body: the head is written into the space before it. Ends the writer. */
  finishFrame(codecId: number): Buffer {
    this.#writeText();
    const head = headOf({ codecId, compression: 'none', count: this.#count, baseTimestamp: this.#baseTimestamp });
    const bytes = this.#body.finish();
    const start = headRoom - head.length;
    bytes.set(head, start);
    return bytes.subarray(start);
  }

  #writeText(): void {
    if (this.#text !== '') this.#body.latin1(this.#text);
    this.#text = '';
  }
}

/** The bytes before the value of a record without key and headers, one per character. `length` takes at most two bytes. */
function plainHead(delay: number, length: number): string {
  if (length < 0x80) return String.fromCharCode(delay * 2, 0, 0, length);
  return String.fromCharCode(delay * 2, 0, 0, (length & 0x7f) | 0x80, length >> 7);
}

/** The longest possible head of a frame, with some spare bytes. */
const headRoom = 24;
const emptyHead = new Uint8Array(headRoom);

/** version, compression, codec, count, base timestamp, body. */
export function frameBatch(batch: RecordBatch): Buffer {
  return Buffer.concat([headOf(batch), batch.body]);
}

function headOf(batch: Omit<RecordBatch, 'body'>): Buffer {
  const writer = new ByteWriter(headRoom);
  writer.byte(frameVersion).byte(compressions.indexOf(batch.compression)).byte(batch.codecId);
  return writer.varint(batch.count).varint(batch.baseTimestamp).finish();
}

/** Parses a frame's head; the body stays compressed. @throws {CodecError} */
export function parseBatch(frame: Buffer): RecordBatch {
  const reader = new ByteReader(frame);
  const version = reader.byte();
  if (version !== frameVersion) {
    throw new CodecError(
      `record batch has format version ${version}; this Millrace reads ${frameVersion}. Upgrade it.`,
    );
  }
  const compression = compressions[reader.byte()];
  if (compression === undefined) throw new CodecError('record batch has an unknown compression. Upgrade Millrace.');
  const codecId = reader.byte();
  const count = reader.varint();
  const baseTimestamp = reader.varint();
  return { codecId, compression, count, baseTimestamp, body: reader.rest() };
}

/**
 * The records of an uncompressed body.
 *
 * @param endOffset the log's end after this batch: the number in its entry id
 * @param appendedAt the timestamp of all of them, unless each has its own
 */
export function readRecords(batch: RecordBatch, body: Buffer, endOffset: number, appendedAt?: number): StoredRecord[] {
  // The count is unverified: every record takes at least four bytes.
  if (batch.count * 4 > body.length) throw new CodecError(`record batch is too short for its ${batch.count} records`);
  const reader = new ByteReader(body);
  const records: StoredRecord[] = new Array(batch.count);
  for (let index = 0; index < batch.count; index++) {
    const ownTimestamp = batch.baseTimestamp + reader.signedVarint();
    const timestamp = appendedAt ?? ownTimestamp;
    const key = reader.byte() === 0 ? undefined : reader.text();
    const headers = readHeaders(reader);
    records[index] = { offset: endOffset - batch.count + index, timestamp, key, headers, value: reader.block() };
  }
  return records;
}
