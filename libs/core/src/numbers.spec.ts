import { describe, expect, it } from '@jest/globals';
import { OptionsError } from './errors.js';
import { assertNoProblem, integerProblem, shown, timestampProblem } from './numbers.js';

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
});
