import { describe, expect, it } from '@jest/globals';
import { Distribution } from './pulled-metrics.js';

/** What each bucket holds, cumulative, `+Inf` last. */
function buckets(values: readonly number[], bounds: readonly number[]): number[] {
  const distribution = new Distribution(bounds);
  for (const value of values) distribution.add(value);
  return distribution
    .series('s', {})
    .filter(({ metricName }) => metricName === 's_bucket')
    .map(({ value }) => value);
}

describe('a distribution', () => {
  it('counts a value where it belongs, wherever the one before went', () => {
    // given values at, below, between and beyond the bounds, in every order of three
    const bounds = [1, 2, 4];
    const values = [0, 1, 1.5, 2, 3, 4, 5];
    const orders = values.flatMap((a) => values.flatMap((b) => values.map((c) => [a, b, c])));
    // when
    const counted = orders.map((order) => buckets(order, bounds));
    // then
    const expected = orders.map((order) => [...bounds, Infinity].map((le) => order.filter((v) => v <= le).length));
    expect(counted).toEqual(expected);
  });

  it('without bounds counts all', () => {
    expect(buckets([1, 2], [])).toEqual([2]);
  });
});
