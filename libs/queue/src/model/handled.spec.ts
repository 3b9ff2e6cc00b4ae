import { describe, expect, it } from '@jest/globals';
import type { Settlement } from '@millrace/core';
import { combineSettlements, nothingHandled, parseHandled } from './handled.js';

const complete: Settlement = { kind: 'complete', result: 1 };
const retry = (delayMs: number): Settlement => ({ kind: 'retry', delayMs, countsAsAttempt: true });
const dead: Settlement = { kind: 'dead-letter', reason: 'failed', error: new Error('broken') };

describe('the settlement of a message that several handlers had', () => {
  it('is complete when all are done, with the first result', () => {
    const { settlement, handled } = combineSettlements(nothingHandled, [
      { handler: 'a', settlement: complete },
      { handler: 'b', settlement: { kind: 'drop', reason: 'no use' } },
    ]);
    expect(settlement).toEqual(complete);
    expect(handled.done).toEqual(['a', 'b']);
  });

  it('is a retry after the longest delay while one is to be retried, and remembers which are done', () => {
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

  it('names all that gave it up, and keeps those that were done before', () => {
    const before = { done: ['z'], dead: [] };
    const { settlement, handled } = combineSettlements(before, [
      { handler: 'a', settlement: dead },
      { handler: 'b', settlement: dead },
      { handler: 'c', settlement: complete },
    ]);
    expect(settlement).toMatchObject({ error: { message: 'given up by a, b: broken' } });
    expect(handled.done).toEqual(['z', 'c']);
  });

  it('has the first result there is, and the last of the longest retries', () => {
    const results = [undefined, 5, 6].map((result, at) => ({
      handler: `${at}`,
      settlement: { kind: 'complete', result } as const,
    }));
    const drop = { handler: 'd', settlement: { kind: 'drop', reason: 'x', result: 4 } as Settlement };
    expect(combineSettlements(nothingHandled, [drop, ...results]).settlement).toEqual({ kind: 'complete', result: 5 });
    const retries = [30, 10].map((delayMs, at) => ({ handler: `${at}`, settlement: retry(delayMs) }));
    expect(combineSettlements(nothingHandled, retries).settlement).toEqual(retry(30));
    const last: Settlement = { kind: 'retry', delayMs: 30, countsAsAttempt: false };
    expect(combineSettlements(nothingHandled, [...retries, { handler: 'c', settlement: last }]).settlement).toBe(last);
  });

  const error = { name: 'Error', message: 'no', stack: '' };
  const givenUp = { handler: 'b', reason: 'failed', error };
  it.each<[written: unknown, read: object]>([
    [
      { done: ['a'], dead: [givenUp] },
      { done: ['a'], dead: [givenUp] },
    ],
    [
      { done: ['a', 5, null], dead: [null, 5, {}, { handler: 'b' }, { error }, givenUp] },
      { done: ['a'], dead: [givenUp] },
    ],
    [
      {
        dead: [
          { ...givenUp, handler: 5 },
          { ...givenUp, error: { message: 5 } },
        ],
      },
      { done: [], dead: [] },
    ],
    [
      { done: 'a', dead: 'b' },
      { done: [], dead: [] },
    ],
    [null, nothingHandled],
  ])('is read as far as it can be: %p', (written, read) => {
    expect(parseHandled(JSON.stringify(written))).toEqual(read);
  });
});
