import { describe, expect, it } from '@jest/globals';
import { backoffDelayMs } from './backoff.js';
import { DeadLetter, Drop, RetryLater } from './control.js';
import { OptionsError } from './errors.js';
import { resolveOptions } from './options.js';
import { outcomeOfThrow } from './outcome.js';
import { defaultRetryPolicy, type RetryPolicy, retryPolicy } from './retry-policy.js';
import { settle } from './settlement.js';

class PaymentDeclined extends Error {}
const oops = new Error('oops');
const failed = { kind: 'failed', error: oops } as const;

describe('settle', () => {
  it('retries three times after about 1, 2 and 4 seconds, then gives the message up', () => {
    const settlements = [1, 2, 3, 4].map((attempt) => settle(failed, attempt, defaultRetryPolicy, 0.5));
    expect(settlements).toEqual([
      { kind: 'retry', delayMs: 1000, countsAsAttempt: true, error: oops },
      { kind: 'retry', delayMs: 2000, countsAsAttempt: true, error: oops },
      { kind: 'retry', delayMs: 4000, countsAsAttempt: true, error: oops },
      { kind: 'dead-letter', reason: 'failed', error: oops },
    ]);
  });

  it('never retries what cannot be read', () => {
    const outcome = { kind: 'unreadable', reason: 'invalid', error: oops } as const;
    expect(settle(outcome, 1, defaultRetryPolicy, 0)).toEqual({ kind: 'dead-letter', reason: 'invalid', error: oops });
  });

  it('does what the handler threw to ask for', () => {
    const settled = (thrown: unknown) => settle(outcomeOfThrow(thrown), 9, defaultRetryPolicy, 0);
    expect(settled(new RetryLater(250))).toEqual({ kind: 'retry', delayMs: 250, countsAsAttempt: false });
    expect(settled(new DeadLetter('no such user'))).toMatchObject({ kind: 'dead-letter', reason: 'rejected' });
    expect(settled(new Drop('old news'))).toEqual({ kind: 'drop', reason: 'old news' });
  });

  it.each([undefined, null, '5', 5n, Number.NaN, {}])(
    'retries after half a minute, and reports it, when a RetryLater has no number: %p',
    (delayMs) => {
      const reports: unknown[] = [];
      const outcome = outcomeOfThrow(new RetryLater(delayMs as never));
      const settled = settle(outcome, 1, defaultRetryPolicy, 0, (_callback, error) => reports.push(error));
      expect(settled).toEqual({ kind: 'retry', delayMs: 30_000, countsAsAttempt: false });
      expect(reports).toEqual([
        expect.objectContaining({ message: expect.stringMatching(/^delayMs must be a number/) }),
      ]);
    },
  );

  it('lets the first rule win that is for the error or one of its causes', () => {
    const policy: RetryPolicy = {
      maxRetries: 1,
      backoff: 10,
      rules: [
        { when: PaymentDeclined, do: 'dead-letter' },
        { when: (error) => error instanceof Error && error.message === 'busy', do: { maxRetries: 9, backoff: 5 } },
      ],
    };
    const settled = (error: unknown) => settle({ kind: 'failed', error }, 1, policy, 0);
    expect(settled(new Error('x', { cause: new PaymentDeclined() })).kind).toBe('dead-letter');
    expect(settled(new Error('busy'))).toMatchObject({ kind: 'retry', delayMs: 5 });
    expect(settled(oops)).toMatchObject({ kind: 'retry', delayMs: 10 });
  });
});

describe('backoffDelayMs', () => {
  it.each([
    ['a number', 7, [7, 7, 7]],
    ['fixed', { kind: 'fixed', delayMs: 5 }, [5, 5, 5]],
    ['linear', { kind: 'linear', delayMs: 5, maxDelayMs: 12 }, [5, 10, 12]],
    ['exponential', { kind: 'exponential', delayMs: 5, factor: 3, maxDelayMs: 40 }, [5, 15, 40]],
    ['list', { kind: 'list', delaysMs: [1, 9] }, [1, 9, 9]],
    ['function', (retry: number) => retry * 100, [100, 200, 300]],
    ['a function that answers nonsense', () => Number.NaN, [30_000, 30_000, 30_000]],
  ] as const)('%s', (_name, backoff, delays) => {
    expect([1, 2, 3].map((retry) => backoffDelayMs(backoff, retry, oops, 0.5))).toEqual(delays);
  });

  it.each([
    [0, 0],
    [1, 30_000],
  ])('grows exponentially for any number of retries: from %d ms to %d ms', (delayMs, last) => {
    expect(backoffDelayMs({ kind: 'exponential', delayMs }, 5000, oops, 0.5)).toBe(last);
  });

  it('spreads a delay by its jitter', () => {
    const backoff = { kind: 'fixed', delayMs: 100, jitter: 0.2 } as const;
    expect([0, 0.5, 1].map((random) => backoffDelayMs(backoff, 1, oops, random))).toEqual([80, 100, 120]);
  });
});

describe('retryPolicy', () => {
  const resolve = (retry: unknown) =>
    resolveOptions<{ retry: RetryPolicy }>('handler', { retry: retryPolicy() }, { retry });

  it('takes a part of a policy, or false', () => {
    expect(resolve({ maxRetries: 5 }).retry).toEqual({ ...defaultRetryPolicy, maxRetries: 5 });
    expect(resolve(false).retry.maxRetries).toBe(0);
  });

  it.each([Number.POSITIVE_INFINITY, Number.NaN, 0.5, '2'])(
    'refuses a factor that cannot be stored or shrinks: %p',
    (factor) => {
      const backoff = { kind: 'exponential', delayMs: 1, factor };
      expect(() => resolve({ backoff })).toThrow('retry.backoff.factor must be a number of at least 1');
    },
  );

  it.each([null, undefined, 'drop'])('refuses a rule that is none: %p', (rule) => {
    expect(() => resolve({ rules: [rule] })).toThrow(/retry.rules\[0\] must be \{ when, do \}, got/);
  });

  it('names every problem', () => {
    const policy = { maxRetries: -1, backoff: { kind: 'expo' }, rules: [{ when: 'x', do: 'forget' }], delay: 1 };
    expect(() => resolve(policy)).toThrow(
      new OptionsError('handler', [
        'unknown option retry.delay',
        'retry.maxRetries must be a whole number of at least 0',
        'retry.backoff.kind must be one of fixed, linear, exponential, list',
        'retry.rules[0].when must be an error class or a function of the error',
        "retry.rules[0].do must be 'dead-letter', 'drop' or { maxRetries, backoff }",
      ]),
    );
  });
});
