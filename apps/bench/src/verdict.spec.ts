import { describe, expect, it } from '@jest/globals';
import { type Estimate, estimate } from './statistics.js';
import { isWiderThanMargin, judge, type Target } from './verdict.js';

const wholeRun = { isWholeRun: true };
const atLeast4: Target = { atLeast: 4 };
const atMost105: Target = { atMost: 1.05 };

describe('a verdict', () => {
  it.each([
    { target: atLeast4, rounds: [7, 6, 8, 7, 7], verdict: 'met' },
    // The median keeps it, one round does not.
    { target: atLeast4, rounds: [3.8, 4.2, 4, 4.3, 4.1], verdict: 'met' },
    { target: atLeast4, rounds: [4, 4, 4, 4, 4], verdict: 'met' },
    { target: atLeast4, rounds: [3.8, 4.2, 3.9, 3.7, 3.9], verdict: 'met within noise' },
    { target: atLeast4, rounds: [3.8, 3.9, 3.9, 3.7, 3.9], verdict: 'missed' },
    { target: atMost105, rounds: [1.02, 1.01, 1.09, 1, 0.98], verdict: 'met' },
    { target: atMost105, rounds: [1.06, 1.04, 1.09, 1.08, 1.06], verdict: 'met within noise' },
    { target: atMost105, rounds: [1.06, 1.08, 1.09, 1.08, 1.06], verdict: 'missed' },
    // A miss by a quarter among rounds that differ by two thirds is no proof of either.
    { target: atMost105, rounds: [1.31, 1, 1.66, 1.3, 1.4], verdict: 'undecided' },
    { target: atLeast4, rounds: [2, 8, 3, 3, 2], verdict: 'undecided' },
    // What should be none at all.
    { target: { atMost: 0 }, rounds: [0, 0, 0, 0, 0], verdict: 'met' },
    { target: { atMost: 0 }, rounds: [1, 2, 2, 1, 1], verdict: 'missed' },
    // Fewer than five rounds prove nothing, however clear they look.
    { target: atLeast4, rounds: [7, 7, 7, 7], verdict: 'undecided' },
    { target: atLeast4, rounds: [1, 1, 1], verdict: 'undecided' },
  ])('of $rounds, wanted $target, is $verdict', ({ target, rounds, verdict }) => {
    expect(judge(target, estimate(rounds), wholeRun)).toBe(verdict);
  });

  it('is never made of short windows', () => {
    expect(judge(atLeast4, estimate([7, 7, 7, 7, 7]), { isWholeRun: false })).toBe('undecided');
  });
});

describe('an interval', () => {
  const between = (low: number, median: number, high: number): Estimate => ({ median, low, high, confidence: 0.94 });

  it.each([
    { what: 'that does not reach the target', target: atLeast4, value: between(6, 7, 8), isWider: false },
    { what: 'around the target', target: atLeast4, value: between(3.5, 4.1, 5), isWider: true },
    // The one that was taken for a cost of 31 %.
    { what: 'of 31 % ± 20 %', target: atMost105, value: between(1.1, 1.31, 1.57), isWider: true },
    { what: 'of 31 % ± 2 %', target: atMost105, value: between(1.29, 1.31, 1.33), isWider: false },
    { what: 'of 2 % ± 2 %', target: atMost105, value: between(1, 1.02, 1.04), isWider: false },
    {
      what: 'below parity, wanted at most parity',
      target: { atMost: 1 },
      value: between(0.8, 0.85, 0.9),
      isWider: false,
    },
    {
      what: 'around parity, wanted at most parity',
      target: { atMost: 1 },
      value: between(0.9, 0.99, 1.1),
      isWider: true,
    },
    { what: 'without width', target: { atMost: 0 }, value: between(0, 0, 0), isWider: false },
    { what: 'of what should be none', target: { atMost: 0 }, value: between(0, 1, 3), isWider: true },
  ])('$what is wider than the margin: $isWider', ({ target, value, isWider }) => {
    expect(isWiderThanMargin(target, value, { isRatio: true })).toBe(isWider);
  });

  it('of a value in a unit has the margin that was measured', () => {
    // 50 ms wanted, 8 ± 3 measured: parity means nothing here.
    expect(isWiderThanMargin({ atMost: 50 }, between(5, 8, 12), { isRatio: false })).toBe(false);
  });
});
