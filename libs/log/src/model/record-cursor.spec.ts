import { describe, expect, it } from '@jest/globals';
import { CodecError, noHeaders } from '@millrace/core';
import { cursorOf } from './batch-compression.js';
import { frameBatch, RecordBatchWriter } from './record-batch.js';

function frame(value: string): Buffer {
  const writer = new RecordBatchWriter();
  writer.add(1000, 'a', { n: '1' }, value);
  writer.add(990, undefined, undefined, '2');
  return writer.finishFrame(1);
}

/** What a cursor stands on, step by step. */
function walked(bytes: Buffer, appendedAt?: number): unknown[] {
  const cursor = cursorOf(bytes, 42, appendedAt);
  const seen: unknown[] = [];
  while (cursor.next()) {
    const { offset, timestamp, key, headers, start, end } = cursor;
    const value = cursor.body.toString('utf8', start, end);
    seen.push([offset, timestamp, key, headers, value, cursor.text?.slice(start, end)]);
  }
  expect(cursor.next()).toBe(false);
  return seen;
}

describe('a cursor over a batch', () => {
  it('stands on each record in turn, and has its value as a string where all is ASCII', () => {
    expect(walked(frame('one'))).toEqual([
      [40, 1000, 'a', { n: '1' }, 'one', 'one'],
      [41, 990, undefined, noHeaders, '2', '2'],
    ]);
    expect(walked(frame('é'))).toEqual([
      [40, 1000, 'a', { n: '1' }, 'é', undefined],
      [41, 990, undefined, noHeaders, '2', undefined],
    ]);
  });

  it('gives all records the time of their append, where that counts', () => {
    const times = walked(frame('1'), 5).map((seen) => (seen as unknown[]).slice(0, 2));
    expect(times).toEqual([
      [40, 5],
      [41, 5],
    ]);
  });

  it('refuses a batch that claims more records than it has room for', () => {
    const batch = { codecId: 1, compression: 'none', count: 3, baseTimestamp: 0 } as const;
    expect(() => cursorOf(frameBatch({ ...batch, body: Buffer.alloc(11) }), 3, undefined)).toThrow(
      new CodecError('record batch is too short for its 3 records'),
    );
    expect(cursorOf(frameBatch({ ...batch, body: Buffer.alloc(12) }), 3, undefined).next()).toBe(true);
  });
});
