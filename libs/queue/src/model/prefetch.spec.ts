import { describe, expect, it } from '@jest/globals';
import { movingAverage, prefetchFor } from './prefetch.js';

describe('how many messages a consumer fetches ahead', () => {
  it('is none while handlers are slow or nothing is known, and as many as fast handlers soon handle', () => {
    expect(prefetchFor(10, Number.POSITIVE_INFINITY)).toBe(10);
    expect(prefetchFor(10, 1000)).toBe(10);
    expect(prefetchFor(10, 20)).toBe(20);
    expect(prefetchFor(1, 0.001)).toBe(1501);
    expect(prefetchFor(1500, 0.001)).toBe(3000);
  });

  it('uses a moving average', () => {
    expect(movingAverage(Number.POSITIVE_INFINITY, 5)).toBe(5);
    expect(movingAverage(10, 20)).toBe(11);
  });
});
