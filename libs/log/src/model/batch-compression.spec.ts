import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { CodecError, type Headers } from '@millrace/core';
import fc from 'fast-check';
import { compress, compressionProblem, decodeBatch } from './batch-compression.js';
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
  it.each(usable)('comes back as it was: %s', async (compression) => {
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

  it('that is a bomb is refused without being unpacked', () => {
    const body = deflateRawSync(Buffer.alloc(50_000_000));
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
});
