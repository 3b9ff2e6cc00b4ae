import { describe, expect, it } from '@jest/globals';
import { type Cost, type Pair, ratioOf, takePairs } from './pairs.js';

function cost(wall: number): Cost {
  return { wall, redis: wall / 2, process: wall * 3 };
}

/** Notes who had a turn, and costs as much as its place in the sequence. */
function recorded() {
  const order: string[] = [];
  const slice = (name: string) => async () => {
    order.push(name);
    return cost(order.length);
  };
  return { order, slices: { ours: slice('a'), theirs: slice('b') } };
}

describe('pairs', () => {
  it.each([
    { oursFirst: true, warmUps: 0, expected: 'abbaabba' },
    { oursFirst: false, warmUps: 0, expected: 'baabbaab' },
    { oursFirst: true, warmUps: 1, expected: 'baabbaabba' },
  ])('swap who is first: $expected', async ({ expected, ...rest }) => {
    const { order, slices } = recorded();
    await takePairs(slices, { pairs: 4, ...rest });
    expect(order.join('')).toBe(expected);
  });

  it('are counted after the first, each cost with its build', async () => {
    const { slices } = recorded();
    const pairs = await takePairs(slices, { pairs: 2, warmUps: 2, oursFirst: true });
    expect(pairs).toEqual([
      { ours: cost(5), theirs: cost(6) },
      { ours: cost(8), theirs: cost(7) },
    ]);
  });
});

describe('the ratio of pairs', () => {
  it('is taken within each: what both were slow in does not count', () => {
    // given: ours takes 0.9 of theirs, while the machine becomes ten times slower, and one slice is hit by something else
    const walls = [
      [9, 10],
      [90, 100],
      [9, 10],
      [90, 100],
      [500, 10],
    ] as const;
    const pairs: Pair[] = walls.map(([ours, theirs]) => ({ ours: cost(ours), theirs: cost(theirs) }));
    expect(ratioOf(pairs, 'wall')).toBeCloseTo(0.9);
    expect(ratioOf(pairs, 'redis')).toBeCloseTo(0.9);
  });
});
