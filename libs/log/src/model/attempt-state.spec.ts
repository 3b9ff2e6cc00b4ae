import { describe, expect, it } from '@jest/globals';
import type { Settlement } from '@millrace/core';
import { type AttemptState, afterCommit, afterOutcome, hasOutcome, isCommitted, stepAfter } from './attempt-state.js';

describe('the state of an attempt', () => {
  it.each<[AttemptState, AttemptState, AttemptState, { committed: boolean; outcome: boolean }]>([
    ['undecided', 'committed', 'decided', { committed: false, outcome: false }],
    ['committed', 'committed', 'finished', { committed: true, outcome: false }],
    ['decided', 'finished', 'decided', { committed: false, outcome: true }],
    ['finished', 'finished', 'finished', { committed: true, outcome: true }],
  ])('%s becomes %s with a commit, and %s with an outcome', (state, committed, decided, facts) => {
    expect([afterCommit(state), afterOutcome(state)]).toEqual([committed, decided]);
    expect({ committed: isCommitted(state), outcome: hasOutcome(state) }).toEqual(facts);
  });
});

describe('what follows from a settlement', () => {
  const settlements: readonly Settlement[] = [
    { kind: 'complete', result: 1 },
    { kind: 'drop', reason: 'old' },
    { kind: 'retry', delayMs: 5, countsAsAttempt: true },
    { kind: 'dead-letter', reason: 'failed', error: 'broken' },
    { kind: 'release' },
  ];

  it.each([
    ['auto', { isManual: false, isLeaving: false }, ['complete', 'complete', 'retry', 'dead-letter', 'count-return']],
    [
      'manual',
      { isManual: true, isLeaving: false },
      ['await-commit', 'complete', 'retry', 'dead-letter', 'count-return'],
    ],
    ['leaving', { isManual: false, isLeaving: true }, ['complete', 'complete', 'retry', 'dead-letter', 'hand-over']],
  ])('%s', (_name, worker, steps) => {
    expect(settlements.map((settlement) => stepAfter(settlement, worker).kind)).toEqual(steps);
  });

  it('keeps what the retry policy decided', () => {
    const worker = { isManual: false, isLeaving: false };
    const [, , retry, deadLetter] = settlements;
    expect([retry, deadLetter].map((settlement) => settlement && stepAfter(settlement, worker))).toEqual([
      retry,
      deadLetter,
    ]);
  });
});
