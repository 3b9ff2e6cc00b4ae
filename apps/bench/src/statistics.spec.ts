import { describe, expect, it } from '@jest/globals';
import { estimate, geometricMean, median, percentile } from './statistics.js';

/** 1 … n, in an order that is not theirs. */
function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, index) => index + 1).sort((a, b) => (a % 3) - (b % 3));
}

describe('an estimate', () => {
  // Coverage of order statistics: 1 − 2 · Σ(i < k) C(n, i) / 2ⁿ.
  it.each([
    { values: upTo(1), median: 1, low: 1, high: 1, confidence: 0 },
    { values: upTo(2), median: 1.5, low: 1, high: 2, confidence: 0.5 },
    { values: upTo(3), median: 2, low: 1, high: 3, confidence: 0.75 },
    { values: upTo(4), median: 2.5, low: 1, high: 4, confidence: 0.875 },
    { values: upTo(5), median: 3, low: 1, high: 5, confidence: 0.9375 },
    { values: upTo(7), median: 4, low: 1, high: 7, confidence: 0.984375 },
    { values: upTo(8), median: 4.5, low: 2, high: 7, confidence: 0.9296875 },
    { values: upTo(11), median: 6, low: 3, high: 9, confidence: 0.9345703125 },
    { values: upTo(20), median: 10.5, low: 6, high: 15, confidence: 0.9586105 },
  ])('of $values.length values lies from $low to $high', ({ values, confidence, ...ends }) => {
    expect(estimate(values)).toEqual({ ...ends, confidence: expect.closeTo(confidence, 6) });
  });

  it('holds the true median as often as it says', () => {
    // given: 2,000 draws of seven values of a skewed distribution whose median is ln 2
    const random = lehmer(7);
    const draws = Array.from({ length: 2000 }, () => Array.from({ length: 8 }, () => -Math.log(1 - random())));
    // then
    const holding = draws.map(estimate).filter(({ low, high }) => low <= Math.LN2 && Math.LN2 <= high);
    expect(holding.length / draws.length).toBeCloseTo(0.93, 1.5);
  });

  it('has none without values', () => {
    expect(() => estimate([])).toThrow('no values');
  });
});

/** Numbers from 0 to 1 that are the same in every run. */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

describe('one number of many', () => {
  it.each([
    { what: 'the median of an odd number', is: median([9, 1, 4]), expected: 4 },
    { what: 'the median of an even number', is: median([4, 1, 3, 2]), expected: 2.5 },
    { what: 'the 99th percentile, by nearest rank', is: percentile(upTo(200), 0.99), expected: 198 },
    { what: 'the 99th percentile of few', is: percentile(upTo(3), 0.99), expected: 3 },
    { what: 'the geometric mean', is: geometricMean([0.5, 2, 1]), expected: 1 },
  ])('is $what', ({ is, expected }) => {
    expect(is).toBeCloseTo(expected);
  });
});
