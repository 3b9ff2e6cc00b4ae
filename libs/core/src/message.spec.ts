import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { CodecError, InvalidMessageError } from './errors.js';
import { checkedHeaders, type Headers, isHeadersObject, noHeaders, readHeaders, writeHeaders } from './message.js';

const headerValue = fc.oneof(fc.string(), fc.double({ noNaN: true }), fc.boolean(), fc.constant(null));

function written(headers: Headers): Buffer {
  const writer = new ByteWriter();
  writeHeaders(writer, headers);
  return writer.finish();
}

describe('headers', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), headerValue), (headers) => {
        const reader = new ByteReader(written(headers));
        expect({ ...readHeaders(reader) }).toEqual({ ...headers });
        expect(reader.remaining).toBe(0);
      }),
    );
  });

  it('take one byte where there are none, and what is read of it is always the same object', () => {
    expect([...written({})]).toEqual([0]);
    expect(readHeaders(new ByteReader(written({})))).toBe(noHeaders);
  });

  it('stand in a frame with a tag for each kind of value, which must not change', () => {
    expect([...written({ a: null, b: false, c: true, d: 'x', e: 1 })]).toEqual([
      5, 1, 97, 0, 1, 98, 1, 1, 99, 2, 1, 100, 3, 1, 120, 1, 101, 4, 0, 0, 0, 0, 0, 0, 240, 63,
    ]);
  });

  it('with a tag that is none are refused', () => {
    expect(() => readHeaders(new ByteReader(Buffer.from([1, 1, 97, 5])))).toThrow(
      new CodecError('a header has the unknown tag 5'),
    );
  });

  it('that a caller gives are taken as they are, without what is undefined', () => {
    const headers = { text: 'a', empty: '', nothing: null, yes: true, zero: 0 };
    expect(checkedHeaders('message', headers)).toBe(headers);
    expect(checkedHeaders('message', { a: 1, b: undefined })).toStrictEqual({ a: 1 });
  });

  it.each<[headers: unknown, problem: string]>([
    [{ 'millrace-x': 1 }, 'message: header "millrace-x" is reserved. Use a name without "millrace-".'],
    [{ 'millrace-x': undefined }, 'message: header "millrace-x" is reserved. Use a name without "millrace-".'],
    [{ a: Number.NaN }, 'message: header "a" must be a string, a number, true, false or null.'],
    [{ a: {} }, 'message: header "a" must be a string, a number, true, false or null.'],
    [{ a: 1n }, 'message: header "a" must be a string, a number, true, false or null.'],
    [null, 'message: headers must be an object of names and values, got null.'],
    ['x', 'message: headers must be an object of names and values, got a string.'],
    [5, 'message: headers must be an object of names and values, got a number.'],
    [[['a', 1]], 'message: headers must be an object of names and values, got an array.'],
    [
      new Map([['a', 1]]),
      'message: headers must be an object of names and values, got a Map. Write Object.fromEntries(headers).',
    ],
    [
      Object.assign(Object.create(null), { [Symbol.iterator]: () => [] }),
      'message: headers must be an object of names and values, got a list. Write Object.fromEntries(headers).',
    ],
  ])('that are none are refused: %#', (headers, problem) => {
    expect(() => checkedHeaders('message', headers as never)).toThrow(new InvalidMessageError(problem));
  });

  it('are an object that is no list', () => {
    expect([{}, { a: 1 }, null, 'a', [], new Map(), undefined].map(isHeadersObject)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});
