import { describe, expect, it } from '@jest/globals';
import { ByteWriter, CodecError } from '@millrace/core';
import fc from 'fast-check';
import { Frontier } from './frontier.js';
import { decodeProgress, encodeProgress, noProgress, type Progress } from './progress.js';

const base = 100;

/** A frontier at 100, beyond which these are done. */
function frontierWith(done: Iterable<number>): Frontier {
  const frontier = new Frontier(base);
  for (const offset of done) frontier.complete(base + 1 + offset);
  return frontier;
}
const doneIn = ({ done }: Progress): number[] =>
  done.flatMap(({ start, length }) => Array.from({ length }, (_, index) => start + index));
const none: ReadonlyMap<number, number> = new Map();
const unlimited = 1_000_000;

describe('the progress beyond a committed offset', () => {
  const counts = fc.array(fc.tuple(fc.nat(500), fc.integer({ min: 1, max: 9 })), { maxLength: 5 }).map((entries) => {
    return new Map(entries.map(([offset, count]) => [base + offset, count]));
  });

  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(300), { maxLength: 200 }), counts, counts, (done, attempts, returns) => {
        const progress = decodeProgress(base, encodeProgress(frontierWith(done), attempts, unlimited, returns));
        expect(doneIn(progress)).toEqual([...done].sort((a, b) => a - b).map((offset) => base + 1 + offset));
        expect(progress.attempts).toEqual(attempts);
        expect(progress.returns ?? none).toEqual(returns);
      }),
      { numRuns: 200 },
    );
  });

  it('is empty when there is none', () => {
    expect(encodeProgress(new Frontier(base), none, unlimited)).toHaveLength(0);
    expect(decodeProgress(base, Buffer.alloc(0))).toBe(noProgress);
    expect(noProgress).toEqual({ done: [], attempts: none });
  });

  it('is kept where there are failures or returns alone', () => {
    const one = new Map([[base, 2]]);
    expect(decodeProgress(base, encodeProgress(new Frontier(base), one, unlimited))).toEqual({
      attempts: one,
      returns: undefined,
      done: [],
    });
    expect(decodeProgress(base, encodeProgress(new Frontier(base), none, unlimited, one))).toEqual({
      attempts: none,
      returns: one,
      done: [],
    });
  });

  it('has a version that older processes read, unless there are returns', () => {
    const one = new Map([[base, 2]]);
    expect([...encodeProgress(frontierWith([0]), none, unlimited)]).toEqual([1, 0, 1, 0b10]);
    expect([...encodeProgress(frontierWith([0]), one, unlimited, one)]).toEqual([2, 1, 0, 2, 1, 0, 2, 1, 0b10]);
  });

  it('is written as runs or as bits, the shorter of the two', () => {
    const runs = frontierWith(Array.from({ length: 200 }, (_, offset) => offset));
    const bits = frontierWith(Array.from({ length: 200 }, (_, index) => index * 2));
    expect(encodeProgress(runs, none, unlimited)).toHaveLength(2 + 1 + 3);
    expect(encodeProgress(bits, none, unlimited)).toHaveLength(2 + 1 + 50);
  });

  it('leaves out from the far end what does not fit, and never more than what is done', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(300), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 3, max: 60 }),
        (done, room) => {
          const bytes = encodeProgress(frontierWith(done), none, room);
          const all = [...done].sort((a, b) => a - b).map((offset) => base + 1 + offset);
          const kept = doneIn(decodeProgress(base, bytes));
          expect(bytes.length).toBeLessThanOrEqual(room);
          expect(kept).toEqual(all.slice(0, kept.length));
          // A bit for each offset always fits that far.
          expect(kept.length).toBeGreaterThanOrEqual(all.filter((offset) => offset < base + (room - 3) * 8).length);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('counts at most 512 records that fail, and none that is committed', () => {
    const many = new Map(Array.from({ length: 600 }, (_, index) => [base - 2 + index, 1]));
    const { attempts } = decodeProgress(base, encodeProgress(new Frontier(base), many, unlimited));
    expect([...attempts.keys()]).toEqual(Array.from({ length: 512 }, (_, index) => base + index));
  });

  it('of an unknown version, or that reaches too far, is refused', () => {
    expect(() => decodeProgress(base, Buffer.from([3, 0, 0]))).toThrow(
      new CodecError('the progress of a group has an unknown version'),
    );
    const reaching = (length: number) => new ByteWriter().byte(1).byte(0).byte(0).varint(1).varint(length).finish();
    expect(decodeProgress(base, reaching(16_777_215)).done).toEqual([{ start: base + 1, length: 16_777_215 }]);
    expect(() => decodeProgress(base, reaching(16_777_216))).toThrow(
      new CodecError('the progress of a group reaches 16777217 records ahead'),
    );
  });

  it('joins neighbours into a run when it is written as bits', () => {
    const bits = frontierWith([0, 1, 2, 5, 7, 8, 11, 13, 15, 17, 19]);
    const { done } = decodeProgress(base, encodeProgress(bits, none, unlimited));
    expect(done.slice(0, 3)).toEqual([
      { start: base + 1, length: 3 },
      { start: base + 6, length: 1 },
      { start: base + 8, length: 2 },
    ]);
  });
});
