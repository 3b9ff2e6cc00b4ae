import { describe, expect, it } from '@jest/globals';
import { Suspicion, suspectFrom } from './suspicion.js';

/** Offsets of the records that are suspected, of a log with these lanes. */
function suspected(suspicion: Suspicion, lanes: readonly (string | undefined)[]): number[] {
  return [...lanes.keys()].filter((offset) => suspicion.covers(offset, lanes[offset]));
}

describe('a suspicion', () => {
  it('begins with the second return, or with the one before the last', () => {
    expect([1, 2, 5].map(suspectFrom)).toEqual([1, 2, 2]);
  });

  it('is of the first record of each lane that there was room for', () => {
    const lanes = ['a', 'a', undefined, 'b', 'a', undefined, 'c'];
    expect(suspected(new Suspicion(7, { records: 4, perLane: 1 }), lanes)).toEqual([0, 2, 3, 5]);
  });

  it('is of several records of a lane where one handler gets them together', () => {
    expect(suspected(new Suspicion(6, { records: 4, perLane: 2 }), ['a', 'a', 'a', 'b', 'b', 'b'])).toEqual([
      0, 1, 3, 4,
    ]);
  });

  it('is of no record that was not there yet', () => {
    expect(suspected(new Suspicion(2, { records: 16, perLane: 1 }), ['a', 'b', 'c'])).toEqual([0, 1]);
  });
});
