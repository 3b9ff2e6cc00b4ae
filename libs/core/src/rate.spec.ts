import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from './options.js';
import { perSecondOf, type Rate, rateOf, rateOption } from './rate.js';

const resolve = (input: object): Rate | undefined =>
  resolveOptions<{ rate: Rate | undefined; maxPerSecond: unknown }>(
    'queue',
    { rate: rateOption(input), maxPerSecond: (value) => value },
    input,
  ).rate;

describe('a rate', () => {
  it('is per interval, or per second, or none', () => {
    expect(rateOf({ rate: { limit: 3, intervalMs: 60_000 } })).toEqual({ limit: 3, intervalMs: 60_000 });
    expect(rateOf({ maxPerSecond: 5 })).toEqual({ limit: 5, intervalMs: 1000 });
    expect(rateOf({})).toBeUndefined();
  });

  it('converts to messages per second', () => {
    expect(perSecondOf({ limit: 15, intervalMs: 60_000 })).toBe(0.25);
    expect(perSecondOf({ limit: 15, intervalMs: 500 })).toBe(30);
  });

  it('as an option is a frozen copy, or none', () => {
    // given
    const rate = { limit: 1, intervalMs: 86_400_000 };
    // when
    const read = resolve({ rate });
    // then
    expect(read).toEqual(rate);
    expect(read).not.toBe(rate);
    expect(Object.isFrozen(read)).toBe(true);
    expect(resolve({})).toBeUndefined();
    expect(resolve({ maxPerSecond: 5 })).toBeUndefined();
  });

  const limit = (got: unknown) => `rate.limit must be a whole number of at least 1, got ${got}`;
  const interval = (got: unknown) => `rate.intervalMs must be a whole number from 1 to 86400000, got ${got}`;
  it.each<[input: object, ...problems: string[]]>([
    [{ rate: 5 }, 'rate must be { limit, intervalMs }, got 5'],
    [{ rate: null }, 'rate must be { limit, intervalMs }, got null'],
    [{ rate: [1, 2] }, 'rate must be { limit, intervalMs }, got an array'],
    [{ rate: {} }, limit('undefined'), interval('undefined')],
    [{ rate: { limit: 0, intervalMs: 0 } }, limit(0), interval(0)],
    [{ rate: { limit: 1, intervalMs: 86_400_001 } }, interval(86_400_001)],
    [{ rate: { limit: 1, intervalMs: 1, burst: 2 } }, 'unknown option rate.burst'],
    [
      { rate: { limit: 1, intervalMs: 1000 }, maxPerSecond: 1 },
      'rate and maxPerSecond are both given: maxPerSecond: n is rate: { limit: n, intervalMs: 1000 }',
    ],
  ])('is refused, with every problem: %p', (input, ...problems) => {
    expect(() => resolve(input)).toThrow(expect.objectContaining({ problems }));
  });
});
