import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Frontier } from './frontier.js';
import { decodeProgress, encodeProgress } from './progress.js';

const base = 1_000_000;
const completions = fc.array(fc.nat(600), { maxLength: 200 });
const scattered = fc.array(fc.nat(5000), { maxLength: 400 });

describe('the commit frontier', () => {
  it('never passes an offset that is not done, in any order', () => {
    fc.assert(
      fc.property(completions, (order) => {
        const frontier = new Frontier(base);
        const done = new Set<number>();
        for (const step of order) {
          frontier.complete(base + step);
          done.add(step);
          let expected = 0;
          while (done.has(expected)) expected++;
          expect(frontier.offset).toBe(base + expected);
          expect(frontier.beyond).toBe(done.size - expected);
        }
        const wrong = Array.from({ length: 602 }, (_, step) => step).filter(
          (step) => frontier.isDone(base + step) !== done.has(step),
        );
        expect(wrong).toEqual([]);
      }),
    );
  });

  it('takes spans among single offsets as if each of their offsets was marked', () => {
    const steps = fc.array(fc.tuple(fc.nat(300), fc.nat(40)), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (order) => {
        const frontier = new Frontier(base);
        const done = new Set<number>();
        for (const [step, length] of order) {
          if (length === 0) frontier.complete(base + step);
          else frontier.completeSpan(base + step, base + step + length);
          for (let offset = step; offset < step + Math.max(1, length); offset++) done.add(offset);
          let expected = 0;
          while (done.has(expected)) expected++;
          expect(frontier.offset).toBe(base + expected);
        }
        const wrong = Array.from({ length: 345 }, (_, step) => step).filter(
          (step) => frontier.isDone(base + step) !== done.has(step),
        );
        expect(wrong).toEqual([]);
      }),
    );
  });

  it('takes a span of a million million offsets in one call, before and after a gap', () => {
    const frontier = new Frontier(0);
    frontier.completeSpan(1, 1e12);
    expect([frontier.offset, frontier.runs()]).toEqual([0, []]);
    frontier.complete(0);
    expect(frontier.offset).toBe(1e12);
    frontier.completeSpan(1e12, Number.MAX_SAFE_INTEGER);
    expect(frontier.offset).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('wraps around its ring', () => {
    const frontier = new Frontier(0);
    for (let start = 0; start < 50_000; start += 10) {
      for (let offset = start + 9; offset >= start; offset--) frontier.complete(offset);
    }
    expect([frontier.offset, frontier.beyond]).toEqual([50_000, 0]);
  });

  it('knows what is done far beyond it, and closes the gap', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.uniqueArray(fc.nat(9000), { maxLength: 300 }), (start, steps) => {
        // given a ring that has to grow, from anywhere in it
        const frontier = new Frontier(start);
        const beyond = new Set(steps.map((step) => start + 1 + step));
        // when
        for (const offset of beyond) frontier.complete(offset);
        // then
        expect([frontier.offset, frontier.beyond]).toEqual([start, beyond.size]);
        const done = frontier.runs().flatMap(({ start: first, length }) => Array.from({ length }, (_, n) => first + n));
        expect(done).toEqual([...beyond].sort((a, b) => a - b));
        frontier.complete(start);
        let next = start + 1;
        while (beyond.has(next)) next++;
        expect(frontier.offset).toBe(next);
      }),
    );
  });

  it.each([1023, 1024, 1025, 2047, 2048, 5000])('keeps what is done when %d ahead of it is done too', (ahead) => {
    const frontier = new Frontier(1000);
    frontier.complete(1001);
    frontier.complete(1000 + ahead);
    expect(frontier.runs()).toEqual([
      { start: 1001, length: 1 },
      { start: 1000 + ahead, length: 1 },
    ]);
    expect([1000, 1002, 1000 + ahead - 1, 1000 + ahead + 1].map((offset) => frontier.isDone(offset))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it('begins at 0 with a run of what is done', () => {
    const frontier = new Frontier(0);
    for (const offset of [2, 1, 1]) frontier.complete(offset);
    expect([frontier.beyond, frontier.runs()]).toEqual([2, [{ start: 1, length: 2 }]]);
    frontier.complete(0);
    expect([frontier.offset, frontier.beyond, frontier.runs()]).toEqual([3, 0, []]);
    frontier.complete(1);
    expect([frontier.offset, frontier.beyond]).toEqual([3, 0]);
  });
});

describe('the progress kept with a commit', () => {
  it('is read back unchanged when it fits, and never claims more than is done when it does not', () => {
    fc.assert(
      fc.property(scattered, fc.integer({ min: 1600, max: 20_000 }), (order, maxBytes) => {
        const frontier = new Frontier(base);
        for (const step of order) frontier.complete(base + step + 1);
        const attempts = new Map([[base, 3]]);
        const bytes = encodeProgress(frontier, attempts, maxBytes);
        const back = decodeProgress(base, bytes);
        expect(bytes.length).toBeLessThanOrEqual(maxBytes);
        expect(back).toEqual({ done: frontier.runs(), attempts });
      }),
    );
    fc.assert(
      fc.property(scattered, fc.integer({ min: 16, max: 100 }), (order, maxBytes) => {
        const frontier = new Frontier(base);
        for (const step of order) frontier.complete(base + step + 1);
        const bytes = encodeProgress(frontier, new Map(), maxBytes);
        expect(bytes.length).toBeLessThanOrEqual(maxBytes);
        for (const { start, length } of decodeProgress(base, bytes).done) {
          const offsets = Array.from({ length }, (_, index) => start + index);
          expect(offsets.every((offset) => frontier.isDone(offset))).toBe(true);
        }
      }),
    );
  });

  it('holds the returns of records, and has the old format where there are none', () => {
    const frontier = new Frontier(base);
    const attempts = new Map([[base, 3]]);
    const returns = new Map([[base + 2, 2]]);
    const bytes = encodeProgress(frontier, attempts, 100, returns);
    expect(decodeProgress(base, bytes)).toEqual({ done: [], attempts, returns });
    expect(encodeProgress(frontier, attempts, 100, new Map())).toEqual(encodeProgress(frontier, attempts, 100));
  });

  it('takes at most one bit per offset', () => {
    const frontier = new Frontier(0);
    for (let offset = 1; offset < 65_536; offset += 2) frontier.complete(offset);
    expect(encodeProgress(frontier, new Map(), 16_384).length).toBeLessThan(8300);
  });
});
