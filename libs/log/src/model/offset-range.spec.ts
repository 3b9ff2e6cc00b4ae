import { describe, expect, it } from '@jest/globals';
import { type OutOfRangePolicy, outOfRangePolicies, resumeAt } from './offset-range.js';

const log = { start: 10, end: 20 };
const [below, lost] = ['below-log-start', 'log-truncated'] as const;

describe('where a reader goes on', () => {
  it.each([10, 15, 20])('is the wanted offset, within the log: %d', (offset) => {
    for (const policy of outOfRangePolicies)
      expect(resumeAt(offset, log, policy)).toEqual({ kind: 'as-wanted', offset });
  });

  it.each<[wanted: number, policy: OutOfRangePolicy, kind: string, offset: number, why: string]>([
    [9, 'earliest', 'moved', 10, below],
    [9, 'latest', 'moved', 20, below],
    [9, 'fail', 'refused', 9, below],
    [21, 'earliest', 'moved', 20, lost],
    [21, 'latest', 'moved', 20, lost],
    [21, 'fail', 'refused', 21, lost],
  ])('from %d, with the policy %s: %s to %d (%s)', (wanted, policy, kind, offset, why) => {
    expect(resumeAt(wanted, log, policy)).toEqual({ kind, offset, why });
  });
});
