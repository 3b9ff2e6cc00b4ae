import { describe, expect, it } from '@jest/globals';
import { countDeliveries, deliveryIncrement, incrementOf, isSuspect, readDeliveries } from './deliveries.js';

describe('the number that counts deliveries', () => {
  it('holds its counts, each with its own increment', () => {
    const { returned, failed, postponed } = deliveryIncrement;
    const deliveries = readDeliveries(3 * returned + 2 * failed + 70_000 * postponed);
    expect(deliveries).toEqual({ returns: 3, failures: 2, postponements: 70_000, losses: 0 });
    const lost = readDeliveries(2 * 2 ** 51 + 70_000 * postponed + 2 * returned);
    expect(lost).toEqual({ returns: 2, failures: 0, postponements: 70_000, losses: 2 });
    expect(countDeliveries(deliveries)).toBe(70_005);
    expect(countDeliveries(readDeliveries(0))).toBe(0);
  });

  it.each(['failed', 'postponed'] as const)('keeps a full count of what %s from running over into the next', (kind) => {
    const upTo = { failed: 65_535, postponed: 524_287 }[kind];
    const increments = [upTo - 1, upTo].map((count) =>
      incrementOf(kind, readDeliveries(count * deliveryIncrement[kind])),
    );
    expect(increments).toEqual([deliveryIncrement[kind], 0]);
    expect(isSuspect(readDeliveries(upTo * deliveryIncrement[kind]), 20)).toBe(false);
  });

  it('makes a message suspect that two consumers were lost with, or whose next return is its death', () => {
    const counted = (deliveries: object) => ({ failures: 9, returns: 0, postponements: 9, losses: 0, ...deliveries });
    expect(isSuspect(counted({ returns: 1, losses: 1 }), 20)).toBe(false);
    expect(isSuspect(counted({ returns: 2, losses: 2 }), 20)).toBe(true);
    expect(isSuspect(counted({ returns: 3 }), 20)).toBe(false);
    expect(isSuspect(counted({ returns: 20 }), 20)).toBe(true);
    expect(isSuspect(counted({ returns: 1 }), 1)).toBe(true);
  });
});
