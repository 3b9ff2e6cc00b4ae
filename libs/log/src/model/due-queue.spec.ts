import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DueQueue } from './due-queue.js';

describe('items that are due at a time', () => {
  it('come out in the order of their times, and none before its time', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { maxLength: 60 }), fc.nat(50), (times, now) => {
        // given
        const queue = new DueQueue<number>();
        for (const time of times) queue.add(time, time);
        // when
        const taken: number[] = [];
        for (let item = queue.take(now); item !== undefined; item = queue.take(now)) taken.push(item);
        // then
        const sorted = [...times].sort((a, b) => a - b);
        expect(taken).toEqual(sorted.filter((time) => time <= now));
        expect(queue.size).toBe(times.length - taken.length);
        expect(queue.nextMs).toBe(sorted[taken.length] ?? Number.POSITIVE_INFINITY);
      }),
      { numRuns: 300 },
    );
  });

  it('keep their order when others come in between', () => {
    // given a model that is a sorted list
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(30), { nil: undefined }), { maxLength: 60 }), (steps) => {
        const queue = new DueQueue<number>();
        const model: number[] = [];
        // when some are added and others taken
        for (const step of steps) {
          if (step !== undefined) {
            queue.add(step, step);
            model.push(step);
            model.sort((a, b) => a - b);
          } else expect(queue.take(100)).toBe(model.shift());
          // then both say the same of what is next
          expect(queue.nextMs).toBe(model[0] ?? Number.POSITIVE_INFINITY);
        }
      }),
      { numRuns: 300 },
    );
  });
});
