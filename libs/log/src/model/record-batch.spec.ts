import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseBatch, RecordBatchWriter, readRecords } from './record-batch.js';

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
  it('has its records as they came, whichever were written as text and whichever as bytes', () => {
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
});
