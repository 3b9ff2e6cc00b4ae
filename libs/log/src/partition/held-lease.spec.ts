import { describe, expect, it } from '@jest/globals';
import { HeldLease } from './held-lease.js';

const place = { prefix: 'p', group: 'g', topic: 'orders', partition: 0 };
const held = (sentAt: number): HeldLease =>
  new HeldLease(place, { owner: 'member 1', epoch: 1, topicId: 1, leaseMs: 1000, rewinds: 0, sentAt });

describe('a lease that is held', () => {
  it('ends for its holder before Redis gives the partition to another', () => {
    const lease = held(5000);
    expect(lease.isValid(5899)).toBe(true);
    expect(lease.isValid(5900)).toBe(false);
  });

  it('counts from when its renewal was sent, however late the reply', () => {
    const lease = held(5000);
    // when the reply to what was sent at 5,300 comes at 5,850
    lease.extend(5300);
    expect(lease.isValid(6199)).toBe(true);
    expect(lease.isValid(6200)).toBe(false);
  });

  it('is not shortened by the reply to an earlier renewal', () => {
    const lease = held(5000);
    lease.extend(5500);
    lease.extend(5100);
    expect(lease.isValid(6399)).toBe(true);
  });

  it('is renewed after a sixth to a third of it, and immediately when it may have been forgotten', () => {
    const lease = held(5000);
    expect(lease.isDue(5166)).toBe(false);
    expect(lease.isDue(5334)).toBe(true);
    lease.markUncertain(5340);
    // what was sent before says nothing of what Redis has now
    lease.extend(5335);
    expect(lease.isDue(5341)).toBe(true);
    lease.extend(5342);
    expect(lease.isDue(5345)).toBe(false);
  });

  it('is lost finally', () => {
    const lease = held(5000);
    lease.lose();
    lease.extend(5100);
    expect(lease.isValid(5101)).toBe(false);
  });
});
