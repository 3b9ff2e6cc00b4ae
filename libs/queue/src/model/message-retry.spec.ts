import { describe, expect, it } from '@jest/globals';
import { type MessageRetry, messageRetryProblem, retryHeader, storedRetry, takeRetry } from './message-retry.js';

const stored = (retry: object) => storedRetry(retry as MessageRetry);

describe('how often a message is retried', () => {
  it.each([{}, { maxRetries: 0 }, { backoff: 5 }, { maxRetries: 3, backoff: { kind: 'list', delaysMs: [1] } }])(
    'is right: %p',
    (retry) => {
      expect(messageRetryProblem(retry)).toBeUndefined();
    },
  );

  it.each<[given: unknown, problem: string]>([
    [5, 'must be { maxRetries, backoff }, got 5'],
    [null, 'must be { maxRetries, backoff }, got null'],
    [[3], 'must be { maxRetries, backoff }, got an array'],
    [{ maxRetries: -1 }, 'is wrong: .maxRetries must be a whole number of at least 0, got -1'],
    [{ maxRetries: null }, 'is wrong: .maxRetries must be a whole number of at least 0, got null'],
    [{ backoff: () => 1 }, 'is wrong: .backoff must be plain data, since a function cannot be stored'],
    [{ backoff: -1 }, 'is wrong: .backoff must be a delay in ms of at least 0'],
    [
      { attempts: 3, maxRetries: '1' },
      'is wrong: .attempts is unknown: the properties are maxRetries and backoff; .maxRetries must be a whole number of at least 0, got "1"',
    ],
  ])('is wrong: %p', (given, problem) => {
    expect(messageRetryProblem(given)).toBe(problem);
  });

  it('is stored without what it is not made of', () => {
    expect(storedRetry()).toBeUndefined();
    expect(storedRetry({})).toBeUndefined();
    expect(storedRetry({ maxRetries: 0 })).toStrictEqual({ maxRetries: 0 });
    expect(storedRetry({ backoff: 5 })).toStrictEqual({ backoff: 5 });
    const backoff = { kind: 'linear', delayMs: 1, maxDelayMs: 9, jitter: undefined, note: 1n };
    expect(stored({ maxRetries: 2, backoff })).toStrictEqual({
      maxRetries: 2,
      backoff: { kind: 'linear', delayMs: 1, maxDelayMs: 9 },
    });
    const all = { kind: 'list', delayMs: 1, delaysMs: [1], factor: 2, maxDelayMs: 3, jitter: 0 };
    expect(stored({ backoff: all })).toStrictEqual({ backoff: all });
  });

  it('is taken out of the headers, where it can be read', () => {
    expect(retryHeader).toBe('millrace-retry');
    expect(takeRetry({ a: 1, [retryHeader]: '{"maxRetries":2}' })).toStrictEqual({
      headers: { a: 1 },
      retry: { maxRetries: 2 },
    });
    for (const value of [null, 5, '{', '{"maxRetries":-1}', 'null']) {
      expect(takeRetry({ a: 1, [retryHeader]: value })).toBeUndefined();
    }
    expect(takeRetry({ a: 1 })).toBeUndefined();
  });
});
