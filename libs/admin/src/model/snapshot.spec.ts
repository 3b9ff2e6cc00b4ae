import { describe, expect, it } from '@jest/globals';
import { lagMsOf, lagOf, type PartitionSnapshot } from './snapshot.js';

describe('the lag of a group on a partition', () => {
  const partition: PartitionSnapshot = {
    partition: 0,
    at: 1000,
    start: 10,
    end: 20,
    bytes: 1,
    expiredUnread: new Map(),
    groups: [],
  };
  const offset = (committed: number, nextTimestamp?: number) => ({
    group: 'g',
    committed,
    owner: undefined,
    isOwnerKnown: true,
    nextTimestamp,
  });

  it('is what it can still read', () => {
    expect([5, 10, 15, 20, 25].map((committed) => lagOf(partition, offset(committed)))).toEqual([10, 10, 5, 0, 0]);
  });

  it('in time is how long the next record waits', () => {
    expect([undefined, 400, 1000, 1001].map((next) => lagMsOf(partition, offset(1, next)))).toEqual([0, 600, 0, 0]);
  });
});
