import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Lanes, laneOf } from './lanes.js';

describe('lanes', () => {
  it('let one item of a lane run at a time, in the order they came', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean())), (steps) => {
        const lanes = new Lanes<number>();
        const running = new Map<string, number>();
        const started: Record<string, number[]> = { a: [], b: [], c: [] };
        const start = (lane: string, item: number | undefined): void => {
          if (item === undefined) running.delete(lane);
          else {
            running.set(lane, item);
            started[lane]?.push(item);
          }
        };
        for (const [item, [lane, ends]] of steps.entries()) {
          if (ends && running.has(lane)) start(lane, lanes.leave(lane));
          if (lanes.enter(lane, item)) {
            expect(running.has(lane)).toBe(false);
            start(lane, item);
          }
        }
        for (const lane of [...running.keys()]) while (running.has(lane)) start(lane, lanes.leave(lane));
        for (const items of Object.values(started)) expect(items).toEqual([...items].sort((a, b) => a - b));
        expect(Object.values(started).flat()).toHaveLength(steps.length);
      }),
    );
  });

  it('keep a long lane in order', () => {
    const lanes = new Lanes<number>();
    lanes.enter('hot', -1);
    for (let item = 0; item < 5000; item++) lanes.enter('hot', item);
    for (let item = 0; item < 5000; item++) expect(lanes.leave('hot')).toBe(item);
    expect(lanes.leave('hot')).toBeUndefined();
    expect(lanes.isBusy('hot')).toBe(false);
  });

  it('are chosen by the ordering', () => {
    expect([laneOf('key', 'k'), laneOf('key', undefined), laneOf('partition', 'k'), laneOf('none', 'k')]).toEqual([
      'k',
      undefined,
      '',
      undefined,
    ]);
  });

  it('know who is in them and who waits', () => {
    // given a lane with one in it and two behind
    const lanes = new Lanes<string>();
    expect([lanes.isBusy('a'), lanes.hasWaiting('a'), [...lanes.waiting('a')]]).toEqual([false, false, []]);
    lanes.enter('a', 'one');
    expect([lanes.isBusy('a'), lanes.isBusy('b'), lanes.hasWaiting('a')]).toEqual([true, false, false]);
    lanes.enter('a', 'two');
    lanes.enter('a', 'three');
    expect([lanes.hasWaiting('a'), [...lanes.waiting('a')]]).toEqual([true, ['two', 'three']]);
    // when one comes back, it goes before them
    lanes.putBack('a', ['back']);
    expect([...lanes.waiting('a')]).toEqual(['back', 'two', 'three']);
    // then each is next in turn, and clearing leaves nobody
    expect([lanes.leave('a'), lanes.leave('a')]).toEqual(['back', 'two']);
    lanes.clear();
    expect([lanes.isBusy('a'), lanes.hasWaiting('a')]).toEqual([false, false]);
  });
});
