import { describe, expect, it } from '@jest/globals';
import { CodecError } from '@millrace/core';
import fc from 'fast-check';
import { frameBatch, newerFormat, parseBatch, RecordBatchWriter, readRecords } from './record-batch.js';

const value = fc.oneof(
  fc.string({ maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 50 }),
  fc.uint8Array({ maxLength: 50 }),
  // On both sides of where its length takes one more byte.
  fc.constantFrom(0x7f, 0x80, 0x3fff, 0x4000).map((length) => 'x'.repeat(length)),
);

const record = fc.record({
  timestamp: fc.integer({ min: 0, max: 200 }),
  key: fc.option(fc.string(), { nil: undefined }),
  headers: fc.option(fc.constant({ kind: 'a' }), { nil: undefined }),
  value,
});

const legibly = <T extends { headers?: object | undefined; value: string | Uint8Array }>(record: T) => ({
  ...record,
  headers: record.headers ?? {},
  value: Buffer.from(record.value).toString('latin1'),
});

describe('a record batch', () => {
  it('has its records unchanged, whether written as strings or as bytes', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), (records) => {
        const writer = new RecordBatchWriter(16);
        for (const { timestamp, key, headers, value } of records) {
          writer.add(timestamp, key, headers, value, Buffer.byteLength(value));
        }
        const { bytes } = writer;
        const batch = parseBatch(writer.finishFrame(1));
        expect(bytes).toBe(batch.body.length);
        expect(readRecords(batch, batch.body, records.length).map(legibly)).toEqual(
          records.map((record, offset) => legibly({ offset, ...record })),
        );
      }),
    );
  });

  const bytesOf = (...add: Parameters<RecordBatchWriter['add']>) => {
    const writer = new RecordBatchWriter();
    writer.add(...add);
    return [...writer.finish()];
  };

  it('has records whose bytes must not change, written as strings or not', () => {
    expect(bytesOf(5, undefined, undefined, 'abc')).toEqual([0, 0, 0, 3, 97, 98, 99]);
    expect(bytesOf(5, undefined, undefined, 'abc', 3)).toEqual([0, 0, 0, 3, 97, 98, 99]);
    expect(bytesOf(5, 'k', { a: true }, 'é', 2)).toEqual([0, 1, 1, 107, 1, 1, 97, 2, 2, 0xc3, 0xa9]);
    for (const length of [0x7f, 0x80, 0x3fff, 0x4000]) {
      const value = 'x'.repeat(length);
      expect(bytesOf(5, undefined, undefined, value, length)).toEqual(bytesOf(5, undefined, undefined, value));
    }
    for (const delay of [-1, 0, 0x3f, 0x40]) {
      const writers = [1, undefined].map((valueBytes) => {
        const writer = new RecordBatchWriter();
        writer.add(1000, undefined, undefined, 'a', valueBytes);
        writer.add(1000 + delay, undefined, undefined, 'b', valueBytes);
        return [...writer.finish()];
      });
      expect(writers[0]).toEqual(writers[1]);
    }
  });

  it('has a head whose bytes must not change', () => {
    const writer = new RecordBatchWriter();
    writer.add(300, undefined, undefined, 'a');
    expect([...writer.finishFrame(7)]).toEqual([1, 0, 7, 1, 0xac, 2, 0, 0, 0, 1, 97]);
    const body = Buffer.from([1, 2]);
    expect([...frameBatch({ codecId: 7, compression: 'brotli', count: 1, baseTimestamp: 300, body })]).toEqual([
      1, 2, 7, 1, 0xac, 2, 1, 2,
    ]);
  });

  it.each<[head: number[], why: string]>([
    [[2, 0, 1, 0, 0], 'record batch has format version 2; this Millrace reads 1. Upgrade it.'],
    [[1, 4, 1, 0, 0], 'record batch has an unknown compression. Upgrade Millrace.'],
  ])('is refused when it is of another format: %p', (head, why) => {
    expect(() => parseBatch(Buffer.from(head))).toThrow(new CodecError(why));
  });

  it('is refused when it claims more records than it has room for', () => {
    const batch = { codecId: 1, compression: 'none', count: 2, baseTimestamp: 0 } as const;
    const read = (length: number) => readRecords({ ...batch, body: Buffer.alloc(length) }, Buffer.alloc(length), 2);
    expect(() => read(7)).toThrow(new CodecError('record batch is too short for its 2 records'));
    expect(read(8)).toHaveLength(2);
  });

  it('has the time of its append for all records, where that counts', () => {
    const writer = new RecordBatchWriter();
    for (const time of [5, 7]) writer.add(time, undefined, undefined, 'a');
    const batch = parseBatch(writer.finishFrame(1));
    expect(readRecords(batch, batch.body, 2, 99).map(({ timestamp }) => timestamp)).toEqual([99, 99]);
  });

  const version = (n: number) => `has format version ${n}; this Millrace reads 1. Upgrade it.`;
  const compression = (n: number) => `has compression ${n}, which this Millrace does not know. Upgrade it.`;
  it.each<[frame: number[], why: string | undefined]>([
    [[], undefined],
    [[0, 0], undefined],
    [[1, 0], undefined],
    [[1, 3], undefined],
    [[1], undefined],
    [[2, 0], version(2)],
    [[4, 0], version(4)],
    [[5, 0], undefined],
    [[1, 4], compression(4)],
    [[1, 7], compression(7)],
    [[1, 8], undefined],
    [[0, 4], undefined],
    [[5, 4], undefined],
  ])('that only a newer Millrace can read differs from a damaged one: %p', (frame, why) => {
    expect(newerFormat(Buffer.from(frame))).toBe(why);
  });
});
