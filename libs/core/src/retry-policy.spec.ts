import { describe, expect, it } from '@jest/globals';
import { OptionsError } from './errors.js';
import { resolveOptions } from './options.js';
import { defaultRetryPolicy, type ErrorMatcher, type RetryPolicy, retryPolicy, ruleFor } from './retry-policy.js';

const resolve = (retry: unknown, defaultPolicy?: RetryPolicy): RetryPolicy =>
  resolveOptions<{ retry: RetryPolicy }>('handler', { retry: retryPolicy(defaultPolicy) }, { retry }).retry;

describe('a retry policy as an option', () => {
  it('is the default one where it is left out', () => {
    const own: RetryPolicy = { maxRetries: 7, backoff: 5, rules: [] };
    expect(resolve(undefined)).toBe(defaultRetryPolicy);
    expect(resolve(undefined, own)).toBe(own);
    expect(resolve(false, own)).toEqual({ maxRetries: 0, backoff: 5, rules: [] });
    expect(Object.isFrozen(resolve({ maxRetries: 0 }))).toBe(true);
  });

  it.each<[retry: unknown, ...problems: string[]]>([
    [true, 'retry must be { maxRetries, backoff, rules } or false'],
    [null, 'retry must be { maxRetries, backoff, rules } or false'],
    [{ maxRetries: 1.5 }, 'retry.maxRetries must be a whole number of at least 0'],
    [{ maxRetries: '3' }, 'retry.maxRetries must be a whole number of at least 0'],
    [{ rules: 'x' }, 'retry.rules must be a list of { when, do }'],
    [
      { rules: [{ when: Error, do: null }] },
      "retry.rules[0].do must be 'dead-letter', 'drop' or { maxRetries, backoff }",
    ],
    [{ rules: [{ when: Error, do: { maxRetries: -1 } }] }, 'retry.rules[0].do.maxRetries must be a whole number'],
    [
      {
        rules: [
          { when: Error, do: 'drop' },
          { when: Error, do: { backoff: -1 } },
        ],
      },
      'retry.rules[1].do.backoff must be a delay in ms of at least 0',
    ],
  ])('is refused, with every problem: %p', (retry, ...problems) => {
    expect(() => resolve(retry)).toThrow(expect.objectContaining({ problems }));
  });

  it('takes a part of a policy, or false', () => {
    expect(resolve({ maxRetries: 5 })).toEqual({ ...defaultRetryPolicy, maxRetries: 5 });
    expect(resolve(false).maxRetries).toBe(0);
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

  it('takes rules that give up, drop, or retry in their own way', () => {
    const rules = ['dead-letter', 'drop', {}, { maxRetries: 0, backoff: 0 }].map((what) => ({ when: Error, do: what }));
    expect(resolve({ rules }).rules).toEqual(rules);
  });
});

describe('the rule for an error', () => {
  const policy = (when: ErrorMatcher): RetryPolicy => ({ maxRetries: 1, backoff: 1, rules: [{ when, do: 'drop' }] });
  const reports: unknown[] = [];
  const isFor = (when: ErrorMatcher, error: unknown): boolean =>
    ruleFor(policy(when), error, (name, problem) => reports.push([name, (problem as Error).message])) !== undefined;
  const caused = (depth: number, by: unknown): unknown =>
    depth === 0 ? by : new Error('outer', { cause: caused(depth - 1, by) });

  it('may be of every error, or of those of a class, down to the eighth', () => {
    class Mine extends Error {}
    expect(isFor(Error, new TypeError('x'))).toBe(true);
    expect(isFor(Error, 'thrown text')).toBe(false);
    expect(isFor(Mine, new Error('x'))).toBe(false);
    expect([7, 8].map((depth) => isFor(Mine, caused(depth, new Mine())))).toEqual([true, false]);
  });

  it('is not asked what there is not', () => {
    const asked: unknown[] = [];
    const ask = (error: unknown) => asked.push(error) === 0;
    for (const thrown of [undefined, null, 0, new Error('x', { cause: null })]) isFor(ask, thrown);
    expect(asked).toEqual([0, new Error('x')]);
  });

  it('may be a function, whose promise and error are reported, and count for no', () => {
    reports.length = 0;
    expect(isFor((error) => error === 5, 5)).toBe(true);
    expect(isFor((async () => true) as never, 5)).toBe(false);
    const throws = () => {
      throw new Error('not now');
    };
    expect(isFor(throws, 5)).toBe(false);
    expect(reports).toEqual([
      ['retry.rules.when', 'retry.rules.when must return true or false, got a promise.'],
      ['retry.rules.when', 'not now'],
    ]);
  });
});
