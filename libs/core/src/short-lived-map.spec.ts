import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { ShortLivedMap } from './short-lived-map.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as (options?: { readonly type: 'minor' }) => void;

/** Bytes of what has outlived collections of the young. */
const oldBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? 0;

/** A thousand objects of 800 bytes pass, 40 in flight simultaneously. */
function pass(map: ShortLivedMap<number, unknown>, from: number): void {
  for (let key = from; key < from + 1_000; key++) {
    map.set(key, new Array(100).fill(key));
    map.delete(key - 40);
  }
}

describe('a map for what comes and goes', () => {
  it('keeps what is there, in its order, however much passes', () => {
    // given a map and what a Map would have
    const map = new ShortLivedMap<number, string>();
    const expected = new Map<number, string>();
    // when ten thousand pass, some of which stay for long
    for (let key = 0; key < 10_000; key++) {
      map.set(key, `value ${key}`);
      expected.set(key, `value ${key}`);
      const gone = key - 40;
      if (gone < 0 || gone % 997 === 0) continue;
      expect(map.delete(gone)).toBe(true);
      expected.delete(gone);
    }
    // then it has the same
    expect(map.values()).toEqual([...expected.values()]);
    expect(map.size).toBe(expected.size);
    expect(map.get(997)).toBe('value 997');
    expect(map.has(9_000)).toBe(false);
  });

  it('keeps all of many that only come', () => {
    // given, when a thousand come and none goes
    const map = new ShortLivedMap<number, number>();
    for (let key = 0; key < 1_000; key++) map.set(key, key);
    // then
    expect(map.values()).toHaveLength(1_000);
    expect(map.get(0)).toBe(0);
  });

  it('says what was not there, and replaces what was', () => {
    // given
    const map = new ShortLivedMap<string, number>();
    map.set('a', 1);
    // when, then
    expect(map.delete('b')).toBe(false);
    map.set('a', 2);
    expect(map.size).toBe(1);
    expect(map.get('a')).toBe(2);
    map.clear();
    expect(map.size).toBe(0);
    expect(map.get('a')).toBeUndefined();
  });

  it('returns a snapshot of its values, which later changes do not affect', () => {
    // given
    const map = new ShortLivedMap<string, number>();
    map.set('a', 1);
    map.set('b', 2);
    // when
    const seen: number[] = [];
    for (const value of map.values()) {
      map.delete('b');
      seen.push(value);
    }
    // then
    expect(seen).toEqual([1, 2]);
  });

  it('lets go of what has passed at a collection of the young, when it is old itself', () => {
    // given a map that has outlived collections
    const map = new ShortLivedMap<number, unknown>();
    pass(map, 0);
    collectGarbage();
    collectGarbage();
    const before = oldBytes();
    // when 16 MB pass through it, between collections of the young
    for (let round = 1; round <= 20; round++) {
      pass(map, round * 1_000);
      collectGarbage({ type: 'minor' });
    }
    // then next to nothing has grown old: of a Map it is 4.5 MB, whose tables name each other
    expect(oldBytes() - before).toBeLessThan(1_500_000);
    expect(map.size).toBe(40);
  });

  it('lets go of a burst that met it old and at rest', () => {
    // given a thousand maps that are empty, and have outlived collections
    const maps = Array.from({ length: 1_000 }, () => new ShortLivedMap<number, unknown>());
    const burst = (map: ShortLivedMap<number, unknown>): void => {
      for (let key = 0; key < 100; key++) map.set(key, new Array(10).fill(key));
      for (let key = 0; key < 100; key++) map.delete(key);
    };
    for (const map of maps) burst(map);
    collectGarbage();
    collectGarbage();
    const before = oldBytes();
    // when 100 pass through each of them simultaneously
    for (const map of maps) {
      burst(map);
      collectGarbage({ type: 'minor' });
    }
    // then next to nothing has grown old: where a map goes on with its old table it is 23 MB
    expect(oldBytes() - before).toBeLessThan(1_500_000);
  });
});
