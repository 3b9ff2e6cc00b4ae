import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { CodecError, isMsgpackInstalled, msgpackCodec, msgpackInstallation } from '@millrace/core';
import type { StoredRecord } from './record.js';
import {
  type Compression,
  compressions,
  newerFormat,
  parseBatch,
  type RecordBatch,
  readRecords,
} from './record-batch.js';
import { RecordCursor } from './record-cursor.js';

/** Largest body a batch may have after decompression, unless the reader sets another limit: protects against decompression bombs. */
export const maxBodyBytes = 64 * 1024 * 1024;

/** A decoded batch: its records, and the codec of their values. */
export interface DecodedBatch {
  readonly codecId: number;
  readonly records: StoredRecord[];
}

/**
 * Decodes a batch from its frame, decompressing it.
 *
 * @param endOffset the log's end after the batch: the number in its entry id
 * @param appendedAt the timestamp of all its records, unless each has its own
 * @throws {CodecError} the bytes are not a batch, or more than `maxBytes` when decompressed
 */
export function decodeBatch(
  frame: Buffer,
  endOffset: number,
  {
    maxBytes = maxBodyBytes,
    appendedAt,
  }: { readonly maxBytes?: number; readonly appendedAt?: number | undefined } = {},
): DecodedBatch {
  const batch = parseBatch(frame);
  return { codecId: batch.codecId, records: readRecords(batch, decompress(batch, maxBytes), endOffset, appendedAt) };
}

/** The fewest bytes that a record takes in a body. */
const leastRecordBytes = 4;

/**
 * The head of a frame; undefined when it cannot be read, or claims more records than the frame can hold: their number decides
 * which offsets the batch has.
 */
export function headOf(frame: Buffer): { readonly codecId: number; readonly count: number } | undefined {
  try {
    const { codecId, count, compression, body } = parseBatch(frame);
    const most = (compression === 'none' ? body.length : maxBodyBytes) / leastRecordBytes;
    return count > 0 && count <= most ? { codecId, count } : undefined;
  } catch {
    return undefined;
  }
}

/** What is wrong with a frame for which `headOf` returns undefined. */
export function headProblem(frame: Buffer): unknown {
  try {
    const { count } = parseBatch(frame);
    return new CodecError(`record batch claims ${count} records, more than its bytes can hold`);
  } catch (error) {
    return error;
  }
}

/** As `decodeBatch`, record by record. @throws {CodecError} */
export function cursorOf(frame: Buffer, endOffset: number, appendedAt: number | undefined): RecordCursor {
  const batch = parseBatch(frame);
  return new RecordCursor(batch, decompress(batch, maxBodyBytes), endOffset, appendedAt);
}

/** Whether the records of a frame are more bytes than it has, as far as it says. */
export function isCompressedFrame(frame: Uint8Array): boolean {
  return frame[1] !== 0;
}

/**
 * Why this process cannot read a frame that another one can (a newer one, or one with msgpackr); undefined when it can, or the bytes are
 * damaged.
 */
export function whyNotYetReadable(frame: Uint8Array, hasMsgpack = isMsgpackInstalled): string | undefined {
  const newer = newerFormat(frame);
  if (newer !== undefined) return newer;
  if (frame[0] === 1 && frame[2] === msgpackCodec.id && !hasMsgpack)
    return `has values in msgpack. ${msgpackInstallation}`;
  const compression = frame[0] === 1 ? compressions[frame[1] ?? 0] : undefined;
  const problem = compression === undefined ? undefined : compressionProblem(compression);
  return problem === undefined ? undefined : `cannot be decompressed: ${problem}`;
}

/** Compresses off the event loop. */
export async function compress(compression: Compression, body: Buffer): Promise<Buffer> {
  switch (compression) {
    case 'none':
      return body;
    case 'zlib':
      return deflateRaw(body);
    case 'brotli':
      // 4 of 11: higher levels take several times as long for a few percent.
      return brotli(body, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } });
    case 'zstd':
      return promisify(zstd().compress)(body);
    default:
      return compression satisfies never;
  }
}

/** Why this Node cannot use a compression, or undefined when it can. */
export function compressionProblem(compression: Compression): string | undefined {
  if (compression !== 'zstd' || 'zstdCompress' in zlib) return undefined;
  return 'compression "zstd" needs a newer Node: use brotli or zlib, or upgrade to Node 22.15';
}

const deflateRaw = promisify<Buffer, Buffer>(zlib.deflateRaw);
const brotli = promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliCompress);

function decompress(batch: RecordBatch, maxOutputLength: number): Buffer {
  try {
    switch (batch.compression) {
      case 'none':
        return batch.body;
      case 'zlib':
        return zlib.inflateRawSync(batch.body, { maxOutputLength });
      case 'brotli':
        return zlib.brotliDecompressSync(batch.body, { maxOutputLength });
      case 'zstd':
        return zstd().decompressSync(batch.body, { maxOutputLength });
      default:
        return batch.compression satisfies never;
    }
  } catch (cause) {
    if (cause instanceof CodecError) throw cause;
    const isBomb = typeof cause === 'object' && Reflect.get(cause ?? {}, 'code') === 'ERR_BUFFER_TOO_LARGE';
    const why = isBomb ? `is larger than ${maxOutputLength} bytes` : 'is damaged';
    throw new CodecError(`record batch (${batch.compression}) ${why} when decompressed`, { cause });
  }
}

/** What Node 22.15 and later have, and the types of Node 20 do not include. */
interface Zstd {
  compress(body: Buffer, callback: (error: Error | null, result: Buffer) => void): void;
  decompressSync(body: Buffer, options: { maxOutputLength: number }): Buffer;
}

function zstd(): Zstd {
  const compressZstd: unknown = Reflect.get(zlib, 'zstdCompress');
  const decompressZstd: unknown = Reflect.get(zlib, 'zstdDecompressSync');
  if (typeof compressZstd !== 'function' || typeof decompressZstd !== 'function') {
    throw new CodecError(compressionProblem('zstd') ?? 'zstd is missing');
  }
  return {
    compress: compressZstd as Zstd['compress'],
    decompressSync: decompressZstd as Zstd['decompressSync'],
  };
}
