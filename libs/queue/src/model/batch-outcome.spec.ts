import { describe, expect, it } from '@jest/globals';
import { DeadLetter, type Outcome, RetryLater } from '@millrace/core';
import { outcomesOfBatch } from './batch-outcome.js';

const completed = (result: unknown): Outcome => ({ kind: 'completed', result });
const done = completed(undefined);
const oops = new Error('oops');

describe('the outcomes of a batch', () => {
  it('are the entries of a list of its length', () => {
    expect(outcomesOfBatch(completed([1, oops, new RetryLater(5)]), 3)).toEqual([
      completed(1),
      { kind: 'failed', error: oops },
      { kind: 'retry-later', delayMs: 5 },
    ]);
    expect(outcomesOfBatch(completed(Array(2)), 2)).toEqual([done, done]);
  });

  it.each([undefined, 2, { affected: 2 }, 'ok', [1, 2, 3], []])('are all done when it returned %p', (result) => {
    expect(outcomesOfBatch(completed(result), 2)).toEqual([done, done]);
  });

  it('are all the outcome of the whole', () => {
    const failed: Outcome = { kind: 'failed', error: oops };
    expect(outcomesOfBatch(failed, 2)).toEqual([failed, failed]);
    expect(outcomesOfBatch(completed(oops), 2)).toEqual([failed, failed]);
  });

  it('are unknown when a list of another length has errors in it: no message is handled again', () => {
    const error = new DeadLetter(
      'the batch handler returned a list of 1 with errors in it for 2 messages: return one entry per message',
    );
    expect(outcomesOfBatch(completed([oops]), 2)).toEqual([
      { kind: 'given-up', error },
      { kind: 'given-up', error },
    ]);
  });

  it('are unknown also when only some entries of such a list are errors', () => {
    expect(outcomesOfBatch(completed([1, 2, oops]), 2)).toMatchObject([{ kind: 'given-up' }, { kind: 'given-up' }]);
  });
});
