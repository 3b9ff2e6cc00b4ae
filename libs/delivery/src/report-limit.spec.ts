import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ReportLimit } from './report-limit.js';

describe('a report', () => {
  const passed: [report: string, heldBack: number][] = [];
  const limit = () => new ReportLimit<string>((report, heldBack) => void passed.push([report, heldBack]));
  beforeEach(() => {
    passed.length = 0;
    jest.useFakeTimers();
  });
  afterEach(() => void jest.useRealTimers());

  it('comes once a second, and the last that was held back when the second is over, with how many more there were', async () => {
    const one = limit();
    for (const report of ['first', 'second', 'third', 'fourth']) one.offer('duty', 'away', report);
    expect(passed).toEqual([['first', 0]]);
    await jest.advanceTimersByTimeAsync(1000);
    expect(passed).toEqual([
      ['first', 0],
      ['fourth', 2],
    ]);
    one.offer('duty', 'away', 'fifth');
    expect(passed.at(-1)).toEqual(['fifth', 0]);
    await jest.advanceTimersByTimeAsync(5000);
    expect(passed).toHaveLength(3);
  });

  it('holds back none of another text or kind, up to ten texts of a kind', async () => {
    const one = limit();
    one.offer('another duty', 'text 1', 'another');
    for (let text = 0; text < 12; text++) one.offer('duty', `text ${text}`, `report ${text}`);
    expect(passed).toHaveLength(11);
    await jest.advanceTimersByTimeAsync(1000);
    expect(passed.at(-1)).toEqual(['report 11', 1]);
  });

  it('is remembered of a thousand kinds', () => {
    const one = limit();
    for (let kind = 0; kind <= 1000; kind++) one.offer(`kind ${kind}`, '', `kind ${kind}`);
    one.offer('kind 0', '', 'again');
    one.offer('kind 1000', '', 'not again');
    expect(passed.slice(1001)).toEqual([['again', 0]]);
  });
});
