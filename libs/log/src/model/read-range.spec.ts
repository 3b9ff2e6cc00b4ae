import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '@millrace/core';
import { nearestOffset, OffsetOutOfRangeError, placeOption, placeProblem } from './read-range.js';

const words = "'earliest', 'latest' or { timestamp: ms since 1970 }";
const offset = 'an offset (a whole number of at least 0), ';

describe('a place in a log', () => {
  it.each(['earliest', 'latest', 0, 7, { timestamp: 0.5 }, { timestamp: -1 }])('is %p', (place) => {
    expect(placeProblem('from', place)).toBeUndefined();
  });

  it.each<[place: unknown, got: string]>([
    ['Earliest', '"Earliest"'],
    [-1, '-1'],
    [1.5, '1.5'],
    [undefined, 'undefined'],
    [null, 'null'],
    [{}, 'an object'],
    [{ timestamp: '5' }, '{ timestamp: "5" }'],
    [{ timestamp: Number.NaN }, '{ timestamp: NaN }'],
  ])('is not %p', (place, got) => {
    expect(placeProblem('from', place)).toBe(`from must be ${offset}${words}, got ${got}`);
  });

  it('may be none by its offset', () => {
    expect(placeProblem('from', 7, { isOffset: false })).toBe(`from must be ${words}, got 7`);
    expect(placeProblem('from', 'latest', { isOffset: false })).toBeUndefined();
    expect(placeProblem('from', { timestamp: 7 }, { isOffset: false })).toBeUndefined();
  });

  it('as an option is the oldest record where it is left out', () => {
    const read = (input: object, isOffset?: boolean) =>
      resolveOptions('reader', { from: placeOption(isOffset === undefined ? {} : { isOffset }) }, input);
    expect(read({})).toEqual({ from: 'earliest' });
    expect(read({ from: 5 })).toEqual({ from: 5 });
    expect(() => read({ from: 'x' })).toThrow(`from must be ${offset}${words}, got "x"`);
    expect(() => read({ from: 5 }, false)).toThrow(`from must be ${words}, got 5`);
  });

  it('has a nearest one that is in the log', () => {
    const log = { start: 10, end: 20 };
    expect([9, 10, 15, 20, 21].map((wanted) => nearestOffset(wanted, log))).toEqual([10, 10, 15, 20, 20]);
  });
});

describe('an offset that is not in the log', () => {
  it.each<[offset: number, reason: string | undefined, why: string]>([
    [9, undefined, 'retention has removed it'],
    [19, undefined, 'a failover lost it, and another record has this offset now'],
    [20, undefined, 'the log ends before it'],
    [21, undefined, 'the log ends before it'],
    [10, undefined, 'a failover lost it, and another record has this offset now'],
    [9, 'it was compacted', 'it was compacted'],
  ])('is an error that says why: %d', (offset, reason, why) => {
    const error = new OffsetOutOfRangeError('orders', 3, offset, 10, 20, reason);
    expect(error.message).toBe(
      `topic "orders", partition 3: offset ${offset} is not in the log: ${why}. The log holds 10 to 20. Read an offset in that range, or set outOfRange: 'continue'.`,
    );
    expect(error).toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      topic: 'orders',
      partition: 3,
      offset,
      start: 10,
      end: 20,
    });
  });
});
