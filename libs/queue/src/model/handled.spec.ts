import { describe, expect, it } from '@jest/globals';
import type { Settlement } from '@millrace/core';
import { combineSettlements, nothingHandled, parseHandled } from './handled.js';

const complete: Settlement = { kind: 'complete', result: 1 };
const retry = (delayMs: number): Settlement => ({ kind: 'retry', delayMs, countsAsAttempt: true });
const dead: Settlement = { kind: 'dead-letter', reason: 'failed', error: new Error('broken') };

describe('the settlement of a message that several handlers had', () => {
  it('is complete when all are through, with the first result', () => {
    const { settlement, handled } = combineSettlements(nothingHandled, [
      { handler: 'a', settlement: complete },
      { handler: 'b', settlement: { kind: 'drop', reason: 'no use' } },
    ]);
    expect(settlement).toEqual(complete);
    expect(handled.done).toEqual(['a', 'b']);
  });

  it('is a retry after the longest delay while one is to try again, and remembers who is through', () => {
    const { settlement, handled } = combineSettlements(nothingHandled, [
      { handler: 'a', settlement: retry(10) },
      { handler: 'b', settlement: retry(30) },
      { handler: 'c', settlement: dead },
      { handler: 'd', settlement: complete },
    ]);
    expect(settlement).toEqual(retry(30));
    expect(parseHandled(JSON.stringify(handled))).toMatchObject({
      done: ['d'],
      dead: [{ handler: 'c', reason: 'failed' }],
    });
  });

  it('is a dead letter at the end when one gave up, also in an earlier delivery', () => {
    const first = combineSettlements(nothingHandled, [
      { handler: 'a', settlement: dead },
      { handler: 'b', settlement: retry(1) },
    ]);
    const last = combineSettlements(first.handled, [{ handler: 'b', settlement: complete }]);
    expect(last.settlement).toMatchObject({
      kind: 'dead-letter',
      reason: 'failed',
      error: { message: 'given up by a: broken' },
    });
  });

  it('gives the message back when one was interrupted', () => {
    const { settlement } = combineSettlements(nothingHandled, [
      { handler: 'a', settlement: complete },
      { handler: 'b', settlement: { kind: 'release' } },
    ]);
    expect(settlement).toEqual({ kind: 'release' });
  });

  it('takes what cannot be read for nothing handled', () => {
    expect(parseHandled('not JSON')).toEqual(nothingHandled);
    expect(parseHandled(undefined)).toEqual(nothingHandled);
  });
});
