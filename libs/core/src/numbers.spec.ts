import { describe, expect, it } from '@jest/globals';
import { OptionsError } from './errors.js';
import { assertNoProblem, integerProblem, isTimestamp, shown, timestampProblem } from './numbers.js';

describe('a number that a caller gives', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1.5, -1, '1', 1n, null, undefined, new Date(0), {}, []])(
    'is no whole number when it is %p, and the problem shows it',
    (value) => {
      expect(integerProblem('limit', value)).toBe(`limit must be a whole number of at least 0, got ${shown(value)}`);
    },
  );

  it('is a whole number within its range', () => {
    expect(integerProblem('limit', 0)).toBeUndefined();
    expect(integerProblem('limit', 8, { min: 1, max: 7 })).toBe('limit must be a whole number from 1 to 7, got 8');
  });

  it.each([Number.NaN, Number.NEGATIVE_INFINITY, '0', null, undefined, new Date('never'), new Date(0)])(
    'is no time when it is %p',
    (value) => {
      expect(timestampProblem('from', value)).toBe(`from must be a number of ms since 1970, got ${shown(value)}`);
    },
  );

  it('is shown so that one sees what is wrong', () => {
    expect(shown(new Date('never'))).toBe('an invalid Date');
    expect(shown(new Date(0))).toBe('a Date (1970-01-01T00:00:00.000Z): give its getTime()');
    expect([Number.NaN, '1', undefined, null, [], () => 0].map(shown)).toEqual([
      'NaN',
      '"1"',
      'undefined',
      'null',
      'an array',
      'a function',
    ]);
  });

  it('is refused together with all others of its call', () => {
    expect(() => assertNoProblem('call', undefined)).not.toThrow();
    expect(() => assertNoProblem('call', 'a is wrong', undefined, 'b is wrong')).toThrow(OptionsError);
    expect(() => assertNoProblem('call', 'a is wrong', undefined, 'b is wrong')).toThrow(/2 problems/);
  });

  it('is a time when it is any finite number', () => {
    for (const time of [0, -1, 0.5, 1_700_000_000_000]) expect(timestampProblem('from', time)).toBeUndefined();
    expect([0, -1, Number.NaN, '0', new Date(0), Number.POSITIVE_INFINITY].map(isTimestamp)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it('says its range as shortly as it can', () => {
    const problem = (range: object) => integerProblem('n', 'x', range);
    expect(problem({ min: 5 })).toBe('n must be a whole number of at least 5, got "x"');
    expect(problem({ min: 5, max: 7 })).toBe('n must be a whole number from 5 to 7, got "x"');
    expect(problem({ min: Number.MIN_SAFE_INTEGER })).toBe('n must be a whole number that is safe, got "x"');
    expect(problem({ min: Number.MIN_SAFE_INTEGER, max: 7 })).toBe(
      'n must be a whole number from -9007199254740991 to 7, got "x"',
    );
    expect([5, 7].map((n) => integerProblem('n', n, { min: 5, max: 7 }))).toEqual([undefined, undefined]);
    expect(shown({})).toBe('an object');
  });
});
