import { describe, expect, it } from '@jest/globals';
import { type ChainLook, explainEntry, isNextBatch, type ReadSoFar } from './entry-chain.js';

// A reader that has read up to 10, where the append "n10" ended.
const inside: ReadSoFar = { position: 10, nonce: 'n10', isInside: true };
const begins: ReadSoFar = { position: 10, nonce: undefined, isInside: false };
const next = { endOffset: 15, nonce: 'n15', previousNonce: 'n10' };

describe('the batch that comes next', () => {
  it.each([
    ['follows what was read, and fills its place', next, 5, inside, true],
    ['has an id that no append gives', { ...next, endOffset: Number.NaN }, 5, inside, false],
    ['has no nonce', { ...next, nonce: undefined }, 5, inside, false],
    ['does not say what it follows', { ...next, previousNonce: undefined }, 5, inside, false],
    ['follows another append', { ...next, previousNonce: 'n9' }, 5, inside, false],
    ['cannot be read', next, undefined, inside, false],
    ['claims more records than it has a place for', next, 6, inside, false],
    ['claims fewer', next, 4, inside, false],
    ['begins where reading begins', next, 5, begins, true],
    ['begins before', next, 12, begins, true],
    ['begins behind', next, 4, begins, false],
  ] as const)('%s', (_what, entry, count, read, expected) => {
    expect(isNextBatch(entry, count, read)).toBe(expected);
  });
});

describe('an entry that is not the next one', () => {
  const log: ChainLook = { start: 0, end: 100, first: 10, before: { nonce: 'n10' }, next: 15 };
  const foreign = { endOffset: 12, nonce: undefined, previousNonce: undefined };
  const nothingBefore = { ...log, before: undefined, next: undefined };
  const old = { ...log, before: { nonce: undefined }, next: undefined };
  const crowded = { ...nothingBefore, marked: { first: 10, end: 15 } };
  const own = { kind: 'own', logEnd: 100 };

  it.each([
    ['has an id that no append gives', { ...foreign, endOffset: Number.NaN }, 1, inside, log, { kind: 'behind-end' }],
    ['stands behind the end', { ...next, endOffset: 101 }, 1, inside, log, { kind: 'behind-end' }],
    ['stands before the one that follows', foreign, 2, inside, log, { kind: 'foreign', upTo: 15 }],
    ['stands before the one that follows where reading begins', foreign, 2, begins, log, { kind: 'foreign', upTo: 15 }],
    ['is the one that follows', next, undefined, inside, log, own],
    ['is followed by none', foreign, 2, inside, { ...log, next: undefined }, { kind: 'unexplained' }],
    ['follows what the log lost', next, 5, inside, { ...log, before: { nonce: 'other' } }, { kind: 'diverged' }],
    ['follows what is gone', next, 5, inside, nothingBefore, { kind: 'diverged' }],
    ['is behind what retention removed', next, 5, inside, { ...nothingBefore, start: 12 }, { kind: 'gap', offset: 12 }],
    ['is the first that retention left', next, undefined, inside, { ...nothingBefore, start: 10 }, own],
    [
      'is behind a gap where reading begins',
      next,
      5,
      begins,
      { ...nothingBefore, start: 12 },
      { kind: 'gap', offset: 12 },
    ],
    ['is the first of a trimmed stream', next, 3, begins, { ...nothingBefore, first: 15 }, { kind: 'gap', offset: 12 }],
    ['was written by an older version', { ...foreign, endOffset: 15 }, 5, begins, old, own],
    [
      'leaves no place for what an append wrote',
      { ...foreign, endOffset: 11 },
      undefined,
      begins,
      crowded,
      { kind: 'foreign', upTo: 15 },
    ],
    ['stands before what an append wrote', { ...foreign, endOffset: 10 }, 2, { ...begins, position: 8 }, crowded, own],
    ['was damaged where reading begins', next, undefined, begins, nothingBefore, own],
  ] as const)('%s', (_what, entry, count, read, look, expected) => {
    expect(explainEntry(entry, count, read, look)).toEqual(expected);
  });
});
