import * as zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { CodecError, type Headers } from '@millrace/core';
import fc from 'fast-check';
import {
  compress,
  compressionProblem,
  decodeBatch,
  headOf,
  headProblem,
  whyNotYetReadable,
} from './batch-compression.js';
import { type Compression, compressions, frameBatch, RecordBatchWriter } from './record-batch.js';

const usable = compressions.filter((compression) => compressionProblem(compression) === undefined);

async function frameOf(compression: Compression, values: readonly Uint8Array[]): Promise<Buffer> {
  const writer = new RecordBatchWriter();
  for (const [index, value] of values.entries())
    writer.add(1000 - index, `k${index}`, { index } satisfies Headers, value);
  const { count, baseTimestamp } = writer;
  return frameBatch({
    codecId: 7,
    compression,
    count,
    baseTimestamp,
    body: await compress(compression, writer.finish()),
  });
}

describe('a compressed batch', () => {
  it.each(usable)('is read back unchanged: %s', async (compression) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 }), async (values) => {
        const { codecId, records } = decodeBatch(await frameOf(compression, values), 100);
        expect(codecId).toBe(7);
        expect(records.map(({ value }) => Uint8Array.from(value))).toEqual(values);
        expect(records.map(({ offset }) => offset)).toEqual(values.map((_, index) => 100 - values.length + index));
        expect(records.map(({ timestamp }) => timestamp)).toEqual(values.map((_, index) => 1000 - index));
      }),
      { numRuns: 30 },
    );
  });

  it('that is a decompression bomb is refused before it is decompressed', () => {
    const body = zlib.deflateRawSync(Buffer.alloc(50_000_000));
    const frame = frameBatch({ codecId: 1, compression: 'zlib', count: 1, baseTimestamp: 0, body });
    expect(frame.length).toBeLessThan(100_000);
    expect(() => decodeBatch(frame, 1, { maxBytes: 1_000_000 })).toThrow(/larger than 1000000 bytes when decompressed/);
  });

  it('that is damaged, cut short or of an unknown kind is a CodecError, never a crash', async () => {
    const frame = await frameOf('zlib', [Buffer.from('hello'), Buffer.from('world')]);
    fc.assert(
      fc.property(fc.nat({ max: frame.length - 1 }), fc.nat({ max: 255 }), fc.boolean(), (at, byte, isCut) => {
        const broken = Buffer.from(isCut ? frame.subarray(0, at) : frame);
        if (!isCut) broken[at] = byte;
        try {
          decodeBatch(broken, 2);
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('that is damaged is an error that says so, and keeps the cause', () => {
    const body = Buffer.from('no such thing');
    const frame = (compression: Compression) =>
      frameBatch({ codecId: 1, compression, count: 1, baseTimestamp: 0, body });
    for (const compression of ['zlib', 'brotli'] as const) {
      expect(() => decodeBatch(frame(compression), 1)).toThrow(
        expect.objectContaining({
          message: `record batch (${compression}) is damaged when decompressed`,
          cause: expect.objectContaining({ code: expect.any(String) }),
        }),
      );
    }
  });

  it('that is a decompression bomb is refused with every compression', async () => {
    const zeros = Buffer.alloc(100_000);
    for (const compression of usable.filter((one) => one !== 'none')) {
      const body = await compress(compression, zeros);
      const frame = frameBatch({ codecId: 1, compression, count: 1, baseTimestamp: 0, body });
      expect(() => decodeBatch(frame, 1, { maxBytes: 1000 })).toThrow(
        `record batch (${compression}) is larger than 1000 bytes when decompressed`,
      );
    }
  });

  it('with zstd needs a Node that has it', () => {
    const problem =
      'zstdCompress' in zlib
        ? undefined
        : 'compression "zstd" needs a newer Node: use brotli or zlib, or upgrade to Node 22.15';
    expect(compressions.map(compressionProblem)).toEqual([undefined, undefined, undefined, problem]);
    const frame = Buffer.from([1, 3, 1, 1, 0, 0]);
    expect(whyNotYetReadable(frame)).toBe(problem && `cannot be decompressed: ${problem}`);
    if (problem !== undefined) expect(() => decodeBatch(frame, 1)).toThrow(new CodecError(problem));
  });

  it('may be one that only a newer Millrace can read, or none', () => {
    const why = (...frame: number[]) => whyNotYetReadable(Buffer.from(frame));
    expect([why(), why(1, 0), why(1), why(5, 3), why(0, 3)]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(why(2, 0)).toBe('has format version 2; this Millrace reads 1. Upgrade it.');
    expect(why(1, 4)).toBe('has compression 4, which this Millrace does not know. Upgrade it.');
  });

  it('with msgpack waits for a process that has msgpackr', () => {
    const why = (frame: number[], hasMsgpack: boolean) => whyNotYetReadable(Buffer.from(frame), hasMsgpack);
    expect(why([1, 0, 2], false)).toMatch(/^has values in msgpack\. For msgpack install/);
    expect([why([1, 0, 2], true), why([1, 0, 1], false), why([0, 0, 2], false)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('has a head that claims no more records than its bytes can hold, or none', () => {
    const body = Buffer.alloc(12);
    const frame = (count: number, compression: Compression = 'none') =>
      frameBatch({ codecId: 1, compression, count, baseTimestamp: 0, body });
    expect(headOf(frame(3))).toEqual({ codecId: 1, count: 3 });
    expect(headOf(frame(1_000_000, 'zlib'))).toEqual({ codecId: 1, count: 1_000_000 });
    for (const damaged of [frame(4), frame(0), frame(100_000_000, 'zlib'), Buffer.from('what')]) {
      expect([headOf(damaged), headProblem(damaged)]).toEqual([undefined, expect.any(CodecError)]);
    }
  });
});
