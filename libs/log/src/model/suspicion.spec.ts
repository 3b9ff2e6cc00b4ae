import { describe, expect, it } from '@jest/globals';
import { Suspicion, suspectFrom } from './suspicion.js';

/** Offsets of the records that are suspected, of a log with these keys. */
function suspected(suspicion: Suspicion, keys: readonly (string | undefined)[]): number[] {
  return [...keys.keys()].filter((offset) => suspicion.covers(offset, keys[offset]));
}

describe('a suspicion', () => {
  it('begins with the second return, or with the one before the last', () => {
    expect([1, 2, 5].map(suspectFrom)).toEqual([1, 2, 2]);
  });

  it('covers the first record of each key that there was room for', () => {
    const keys = ['a', 'a', undefined, 'b', 'a', undefined, 'c'];
    expect(suspected(new Suspicion(7, { records: 4, perKey: 1 }), keys)).toEqual([0, 2, 3, 5]);
  });

  it('covers several records of a key where one handler gets them together', () => {
    expect(suspected(new Suspicion(6, { records: 4, perKey: 2 }), ['a', 'a', 'a', 'b', 'b', 'b'])).toEqual([
      0, 1, 3, 4,
    ]);
  });

  it('covers no record that was appended later', () => {
    expect(suspected(new Suspicion(2, { records: 16, perKey: 1 }), ['a', 'b', 'c'])).toEqual([0, 1]);
  });
});
