import { describe, expect, it } from '@jest/globals';
import { ReportLimit } from './report-limit.js';

describe('a report', () => {
  it('comes once a second, and says how many were held back', () => {
    const limit = new ReportLimit();
    const admitted = [0, 1, 999, 1000, 1001, 2500].map((now) => limit.admit('duty', 'away', now));
    expect(admitted).toEqual([0, undefined, undefined, 2, undefined, 1]);
  });

  it('holds back none of another text or kind, up to ten texts of a kind', () => {
    const limit = new ReportLimit();
    expect(limit.admit('another duty', 'text 1', 0)).toBe(0);
    const admitted = Array.from({ length: 12 }, (_, n) => limit.admit('duty', `text ${n}`, n));
    expect(admitted).toEqual([...Array(10).fill(0), undefined, undefined]);
    expect(limit.admit('duty', 'text 11', 1000)).toBe(2);
  });

  it('is remembered of a thousand kinds', () => {
    const limit = new ReportLimit();
    for (let kind = 0; kind <= 1000; kind++) limit.admit(`kind ${kind}`, '', 0);
    expect([limit.admit('kind 0', '', 2), limit.admit('kind 1000', '', 2)]).toEqual([0, undefined]);
  });
});
