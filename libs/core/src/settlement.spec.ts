import { describe, expect, it } from '@jest/globals';
import { DeadLetter, Drop, RetryLater } from './control.js';
import { outcomeOfThrow } from './outcome.js';
import { defaultRetryPolicy, type RetryPolicy } from './retry-policy.js';
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

  it('completes with the result, and releases what was taken back', () => {
    expect(settle({ kind: 'completed', result: 5 }, 1, defaultRetryPolicy, 0)).toEqual({ kind: 'complete', result: 5 });
    expect(settle({ kind: 'abandoned' }, 1, defaultRetryPolicy, 0)).toEqual({ kind: 'release' });
  });

  it('gives up with the cause where there is one', () => {
    const settled = (error: DeadLetter) => settle({ kind: 'given-up', error }, 1, defaultRetryPolicy, 0);
    const plain = new DeadLetter('bad');
    expect(settled(plain)).toEqual({ kind: 'dead-letter', reason: 'rejected', error: plain });
    expect(settled(new DeadLetter('bad', { cause: oops }))).toMatchObject({ error: oops });
  });

  it('does what the rule says, at any attempt', () => {
    const settled = (what: 'drop' | 'dead-letter' | { maxRetries: number }, attempt: number) =>
      settle(failed, attempt, { maxRetries: 1, backoff: 1, rules: [{ when: Error, do: what }] }, 0);
    expect(settled('drop', 9)).toEqual({ kind: 'drop', reason: 'oops' });
    expect(settled('dead-letter', 1)).toEqual({ kind: 'dead-letter', reason: 'failed', error: oops });
    expect(settled({ maxRetries: 0 }, 1)).toEqual({ kind: 'dead-letter', reason: 'failed', error: oops });
    expect(settled({ maxRetries: 5 }, 5)).toMatchObject({ kind: 'retry', delayMs: 1 });
  });
});
