import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KeyQueues, queueKeyOf } from './key-queues.js';

describe('key queues', () => {
  it('run one item of a key at a time, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean())), (steps) => {
        const queues = new KeyQueues<number>();
        const running = new Map<string, number>();
        const started: Record<string, number[]> = { a: [], b: [], c: [] };
        const start = (key: string, item: number | undefined): void => {
          if (item === undefined) running.delete(key);
          else {
            running.set(key, item);
            started[key]?.push(item);
          }
        };
        for (const [item, [key, ends]] of steps.entries()) {
          if (ends && running.has(key)) start(key, queues.leave(key));
          if (queues.enter(key, item)) {
            expect(running.has(key)).toBe(false);
            start(key, item);
          }
        }
        for (const key of [...running.keys()]) while (running.has(key)) start(key, queues.leave(key));
        for (const items of Object.values(started)) expect(items).toEqual([...items].sort((a, b) => a - b));
        expect(Object.values(started).flat()).toHaveLength(steps.length);
      }),
    );
  });

  it('keep a long key in order', () => {
    const queues = new KeyQueues<number>();
    queues.enter('hot', -1);
    for (let item = 0; item < 5000; item++) queues.enter('hot', item);
    for (let item = 0; item < 5000; item++) expect(queues.leave('hot')).toBe(item);
    expect(queues.leave('hot')).toBeUndefined();
    expect(queues.isBusy('hot')).toBe(false);
  });

  it('are chosen by the ordering', () => {
    expect([
      queueKeyOf('key', 'k'),
      queueKeyOf('key', undefined),
      queueKeyOf('partition', 'k'),
      queueKeyOf('none', 'k'),
    ]).toEqual(['k', undefined, '', undefined]);
  });

  it('know which item runs and which wait', () => {
    // given a key with one in it and two behind
    const queues = new KeyQueues<string>();
    expect([queues.isBusy('a'), queues.hasWaiting('a'), [...queues.waiting('a')]]).toEqual([false, false, []]);
    queues.enter('a', 'one');
    expect([queues.isBusy('a'), queues.isBusy('b'), queues.hasWaiting('a')]).toEqual([true, false, false]);
    queues.enter('a', 'two');
    queues.enter('a', 'three');
    expect([queues.hasWaiting('a'), [...queues.waiting('a')]]).toEqual([true, ['two', 'three']]);
    // when one comes back, it goes before them
    queues.putBack('a', ['back']);
    expect([...queues.waiting('a')]).toEqual(['back', 'two', 'three']);
    // then each is next in turn, and clearing leaves none
    expect([queues.leave('a'), queues.leave('a')]).toEqual(['back', 'two']);
    queues.clear();
    expect([queues.isBusy('a'), queues.hasWaiting('a')]).toEqual([false, false]);
  });
});
