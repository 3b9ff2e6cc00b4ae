import { describe, expect, it } from '@jest/globals';
import type { Headers } from '@millrace/core';
import { decodeBatch } from './batch-compression.js';
import { type DeadRecord, deadLetterFrame, originOf, recordsOf, redriveFrame } from './dead-letter.js';
import { RecordBatchWriter } from './record-batch.js';

const error = Object.assign(new TypeError('no such user'), { stack: 'TypeError: no such user\n  at line 1' });
const record = { offset: 7, timestamp: 500, key: 'k', headers: { kind: 'a' }, value: Buffer.from('{"n":1}') };
const dead: DeadRecord = {
  topic: 'orders',
  partition: 3,
  record,
  lastOffset: 7,
  codecId: 1,
  group: 'billing',
  reason: 'failed',
  error,
  attempts: 4,
};
const provenance: Headers = {
  'millrace-original-topic': 'orders',
  'millrace-original-partition': 3,
  'millrace-original-offset': 7,
  'millrace-original-timestamp': 500,
  'millrace-group': 'billing',
  'millrace-reason': 'failed',
  'millrace-error-name': 'TypeError',
  'millrace-error-message': 'no such user',
  'millrace-error-stack': 'TypeError: no such user\n  at line 1',
  'millrace-attempts': 4,
};
/** The one record of a frame. */
function only(frame: Buffer) {
  const { codecId, records } = decodeBatch(frame, 1);
  expect(records).toHaveLength(1);
  const [{ timestamp, key, headers, value }] = records as [typeof record];
  return { codecId, timestamp, key, headers: { ...headers }, value: value.toString() };
}

describe('a dead letter', () => {
  it('has what its record had, and where it comes from and why', () => {
    expect(only(deadLetterFrame(dead, 900))).toEqual({
      codecId: 1,
      timestamp: 900,
      key: 'k',
      headers: { kind: 'a', ...provenance },
      value: '{"n":1}',
    });
  });

  it('says of a batch that cannot be read which records it stands for', () => {
    const { headers } = only(deadLetterFrame({ ...dead, lastOffset: 9 }, 900));
    expect(headers).toEqual({ kind: 'a', ...provenance, 'millrace-original-last-offset': 9 });
  });

  it('knows its origin, which another record does not have', () => {
    expect(originOf(provenance)).toEqual({ topic: 'orders', partition: 3, group: 'billing', redrives: 0 });
    expect(originOf({ ...provenance, 'millrace-redrives': 2 })).toMatchObject({ redrives: 2 });
    expect(originOf({ ...provenance, 'millrace-redrives': '2' })).toMatchObject({ redrives: 0 });
    for (const name of ['millrace-original-topic', 'millrace-original-partition', 'millrace-group']) {
      expect(originOf({ ...provenance, [name]: null })).toBeUndefined();
    }
  });

  it('is sent back as its record was, for the group that gave it up', () => {
    const letter = { ...provenance, kind: 'a', 'millrace-redrives': 1 };
    const frame = redriveFrame(letter, { codecId: 1, records: [{ ...record, headers: letter }] }, 950);
    expect(only(frame)).toEqual({
      codecId: 1,
      timestamp: 950,
      key: 'k',
      headers: { kind: 'a', 'millrace-redrives': 2, 'millrace-redriven-for': 'billing' },
      value: '{"n":1}',
    });
  });

  it('of unknown origin is sent back for every group', () => {
    const frame = redriveFrame({}, { codecId: 1, records: [record] }, 950);
    expect(only(frame).headers).toEqual({ kind: 'a', 'millrace-redrives': 1 });
  });
});

describe('what a dead letter stands for', () => {
  const undecodable: Headers = { ...provenance, 'millrace-reason': 'undecodable' };
  const batch = (): Buffer => {
    const writer = new RecordBatchWriter();
    for (const value of ['a', 'b', 'c']) writer.add(500, undefined, undefined, value);
    return writer.finishFrame(1);
  };
  const letter = (headers: Headers, value: Buffer) => ({ ...record, headers, value });

  it('is its own record', () => {
    for (const [headers, codecId] of [
      [provenance, 0],
      [provenance, 1],
      [undecodable, 1],
    ] as const) {
      const one = letter(headers, batch());
      expect(recordsOf(one, codecId)).toEqual({ codecId, records: [one] });
    }
    const unplaced = letter({ ...undecodable, 'millrace-original-offset': null }, batch());
    expect(recordsOf(unplaced, 0)).toEqual({ codecId: 0, records: [unplaced] });
    const endless = letter({ ...undecodable, 'millrace-original-last-offset': 'x' }, batch());
    expect(recordsOf(endless, 0)).toEqual({ codecId: 0, records: [endless] });
  });

  it('is those records of a batch that could not be read then and can be now', () => {
    const headers = { ...undecodable, 'millrace-original-offset': 8, 'millrace-original-last-offset': 9 };
    const found = recordsOf(letter(headers, batch()), 0);
    expect(found?.codecId).toBe(1);
    expect(found?.records.map(({ offset, value }) => [offset, value.toString()])).toEqual([
      [8, 'b'],
      [9, 'c'],
    ]);
    // A batch of which the letter is for the last record has no last offset.
    expect(recordsOf(letter(undecodable, batch()), 0)?.records.map(({ offset }) => offset)).toEqual([7]);
  });

  it('is unknown while the batch cannot be read, or has none of the records', () => {
    expect(recordsOf(letter(undecodable, Buffer.from('nonsense')), 0)).toBeUndefined();
    const past = { ...undecodable, 'millrace-original-offset': 10, 'millrace-original-last-offset': 9 };
    expect(recordsOf(letter(past, batch()), 0)).toBeUndefined();
  });
});
