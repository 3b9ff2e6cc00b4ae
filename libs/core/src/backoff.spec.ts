import { describe, expect, it } from '@jest/globals';
import { backoffDelayMs, backoffProblems, givenDelay } from './backoff.js';

describe('a backoff', () => {
  it.each([
    5,
    0,
    () => 1,
    { kind: 'fixed', delayMs: 0 },
    { kind: 'linear', delayMs: 1, maxDelayMs: 0, jitter: 0 },
    { kind: 'exponential', delayMs: 1, factor: 1, maxDelayMs: 2, jitter: 1 },
    { kind: 'list', delaysMs: [0], jitter: 0.5 },
  ])('is right: %p', (backoff) => {
    expect(backoffProblems(backoff, 'retry.backoff')).toEqual([]);
  });

  const none = "b must be a number of ms, a function, or { kind: 'fixed' | 'linear' | 'exponential' | 'list', … }";
  it.each<[given: unknown, ...problems: string[]]>([
    [-1, 'b must be a delay in ms of at least 0'],
    [Number.NaN, 'b must be a delay in ms of at least 0'],
    [Number.POSITIVE_INFINITY, 'b must be a delay in ms of at least 0'],
    ['fixed', none],
    [null, none],
    [undefined, none],
    [{ delayMs: 5 }, none],
    [{ kind: 'expo' }, 'b.kind must be one of fixed, linear, exponential, list'],
    [{ kind: 'fixed' }, 'b.delayMs must be a delay in ms of at least 0'],
    [{ kind: 'fixed', delayMs: '5' }, 'b.delayMs must be a delay in ms of at least 0'],
    [{ kind: 'linear', delayMs: -1 }, 'b.delayMs must be a delay in ms of at least 0'],
    [{ kind: 'linear', delayMs: 1, maxDelayMs: -1 }, 'b.maxDelayMs must be a delay in ms of at least 0'],
    [{ kind: 'exponential', delayMs: 1, factor: 0.9 }, 'b.factor must be a number of at least 1'],
    [{ kind: 'fixed', delayMs: 1, jitter: -0.1 }, 'b.jitter must be from 0 to 1'],
    [{ kind: 'fixed', delayMs: 1, jitter: 1.1 }, 'b.jitter must be from 0 to 1'],
    [{ kind: 'fixed', delayMs: 1, jitter: '1' }, 'b.jitter must be from 0 to 1'],
    [{ kind: 'list' }, 'b.delaysMs must be a list of delays in ms with at least one entry'],
    [{ kind: 'list', delaysMs: 5 }, 'b.delaysMs must be a list of delays in ms with at least one entry'],
    [{ kind: 'list', delaysMs: [] }, 'b.delaysMs must be a list of delays in ms with at least one entry'],
    [{ kind: 'list', delaysMs: [1, -1] }, 'b.delaysMs must be a list of delays in ms with at least one entry'],
    [
      { kind: 'linear', jitter: 2, factor: 0, maxDelayMs: 'x' },
      'b.jitter must be from 0 to 1',
      'b.delayMs must be a delay in ms of at least 0',
      'b.maxDelayMs must be a delay in ms of at least 0',
      'b.factor must be a number of at least 1',
    ],
  ])('is wrong, with every problem by its path: %p', (given, ...problems) => {
    expect(backoffProblems(given, 'b')).toEqual(problems);
  });

  it('grows up to 30 s where no other limit is given', () => {
    const far = [
      { kind: 'linear', delayMs: 1000 },
      { kind: 'exponential', delayMs: 1000 },
    ] as const;
    for (const backoff of far) expect(backoffDelayMs(backoff, 100, undefined, 0.5)).toBe(30_000);
  });

  it('doubles where no other factor is given', () => {
    expect(
      [1, 2, 3].map((retry) => backoffDelayMs({ kind: 'exponential', delayMs: 5 }, retry, undefined, 0.5)),
    ).toEqual([5, 10, 20]);
  });

  it('is whole, and never negative', () => {
    expect(backoffDelayMs(1.6, 1, undefined, 0.5)).toBe(2);
    expect(backoffDelayMs(() => -5, 1, undefined, 0.5)).toBe(0);
    expect(backoffDelayMs({ kind: 'fixed', delayMs: 3, jitter: 0.5 }, 1, undefined, 0.1)).toBe(2);
  });

  it('of a list without entries is 0', () => {
    expect(backoffDelayMs({ kind: 'list', delaysMs: [] }, 1, undefined, 0.5)).toBe(0);
  });

  it('that is a function gets the retry and the error, and what it does wrong is reported by its name', () => {
    // given
    const oops = new Error('oops');
    const reports: unknown[] = [];
    const report = (name: string, error: unknown) => reports.push([name, (error as Error).message]);
    // when, then
    const seen: unknown[] = [];
    expect(backoffDelayMs((...args) => seen.push(args) + 6, 2, oops, 0.5, report)).toBe(7);
    expect(seen).toEqual([[2, oops]]);
    expect(backoffDelayMs(() => '5' as never, 1, oops, 0.5, report)).toBe(30_000);
    expect(reports).toEqual([['retry.backoff', 'retry.backoff must return a number of ms, got "5".']]);
  });
});

describe('the delay before a retry', () => {
  it.each([
    ['a number', 7, [7, 7, 7]],
    ['fixed', { kind: 'fixed', delayMs: 5 }, [5, 5, 5]],
    ['linear', { kind: 'linear', delayMs: 5, maxDelayMs: 12 }, [5, 10, 12]],
    ['exponential', { kind: 'exponential', delayMs: 5, factor: 3, maxDelayMs: 40 }, [5, 15, 40]],
    ['list', { kind: 'list', delaysMs: [1, 9] }, [1, 9, 9]],
    ['function', (retry: number) => retry * 100, [100, 200, 300]],
    ['a function that returns nonsense', () => Number.NaN, [30_000, 30_000, 30_000]],
  ] as const)('%s', (_name, backoff, delays) => {
    expect([1, 2, 3].map((retry) => backoffDelayMs(backoff, retry, undefined, 0.5))).toEqual(delays);
  });

  it.each([
    [0, 0],
    [1, 30_000],
  ])('grows exponentially for any number of retries: from %d ms to %d ms', (delayMs, last) => {
    expect(backoffDelayMs({ kind: 'exponential', delayMs }, 5000, undefined, 0.5)).toBe(last);
  });

  it('spreads a delay by its jitter', () => {
    const backoff = { kind: 'fixed', delayMs: 100, jitter: 0.2 } as const;
    expect([0, 0.5, 1].map((random) => backoffDelayMs(backoff, 1, undefined, random))).toEqual([80, 100, 120]);
  });
});

describe('a delay as it was given', () => {
  it('that is no number is reported, and half a minute', () => {
    const reports: unknown[] = [];
    const report = (name: string, error: unknown) => reports.push([name, (error as Error).message]);
    expect([2.4, -3].map((delay) => givenDelay(delay, report))).toEqual([2, 0]);
    expect(givenDelay('soon', report)).toBe(30_000);
    expect(reports).toEqual([['RetryLater', 'delayMs must be a number of ms, got "soon".']]);
  });
});
