import { describe, expect, it } from '@jest/globals';
import { countDeliveries, deliveryIncrement, readDeliveries } from './deliveries.js';
import { movingAverage, prefetchFor } from './prefetch.js';

describe('the number that counts deliveries', () => {
  it('holds three counts, each with its own increment', () => {
    const { returned, failed, postponed } = deliveryIncrement;
    const deliveries = readDeliveries(3 * returned + 2 * failed + 70_000 * postponed);
    expect(deliveries).toEqual({ returns: 3, failures: 2, postponements: 70_000 });
    expect(countDeliveries(deliveries)).toBe(70_005);
    expect(countDeliveries(readDeliveries(0))).toBe(0);
  });
});

describe('how many messages a consumer fetches ahead', () => {
  it('is none while nothing is known or handlers are slow, and as many as fast ones handle soon', () => {
    expect(prefetchFor(10, Number.POSITIVE_INFINITY)).toBe(10);
    expect(prefetchFor(10, 1000)).toBe(10);
    expect(prefetchFor(10, 20)).toBe(20);
    expect(prefetchFor(1, 0.001)).toBe(1501);
    expect(prefetchFor(1500, 0.001)).toBe(3000);
  });

  it('goes by an average that forgets', () => {
    expect(movingAverage(Number.POSITIVE_INFINITY, 5)).toBe(5);
    expect(movingAverage(10, 20)).toBe(11);
  });
});
