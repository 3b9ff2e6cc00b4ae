import { describe, expect, it } from '@jest/globals';
import { DeadLetter, Drop, RetryLater } from './control.js';
import { outcomeOfThrow } from './outcome.js';

describe('what a handler threw', () => {
  it('is a word of ours, or a failure', () => {
    const given = new DeadLetter('no such user', { cause: 'x' });
    const oops = new Error('oops');
    expect(outcomeOfThrow(new RetryLater(250))).toEqual({ kind: 'retry-later', delayMs: 250 });
    expect(outcomeOfThrow(given)).toEqual({ kind: 'given-up', error: given });
    expect(outcomeOfThrow(new Drop('old news'))).toEqual({ kind: 'dropped', reason: 'old news' });
    expect(outcomeOfThrow(oops)).toEqual({ kind: 'failed', error: oops });
    expect(outcomeOfThrow(undefined)).toEqual({ kind: 'failed', error: undefined });
  });

  it('names itself, and says why', () => {
    const words = [new RetryLater(1), new RetryLater(1, 'busy'), new DeadLetter('bad', { cause: 7 }), new Drop('old')];
    expect(words.map(({ name, message, cause }) => [name, message, cause])).toEqual([
      ['RetryLater', 'the handler asked for a later try', undefined],
      ['RetryLater', 'busy', undefined],
      ['DeadLetter', 'bad', 7],
      ['Drop', 'old', undefined],
    ]);
  });
});
