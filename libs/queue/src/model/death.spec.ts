import { describe, expect, it } from '@jest/globals';
import { type Death, parseDeaths, withDeath } from './death.js';

const death = (queue: string, reason: Death['reason'], time: number) => ({
  queue,
  reason,
  exchange: 'e',
  routingKeys: ['k'],
  time,
});

describe('the history of deaths', () => {
  it('has the newest first, and counts those of one queue and reason', () => {
    const one = withDeath([], death('a', 'expired', 1));
    const two = withDeath(one, death('b', 'expired', 2));
    const three = withDeath(two, death('a', 'rejected', 3));
    const four = withDeath(three, { ...death('a', 'expired', 4), exchange: 'other' });
    expect(four).toEqual([
      { ...death('a', 'expired', 1), exchange: 'other', count: 2 },
      { ...death('a', 'rejected', 3), count: 1 },
      { ...death('b', 'expired', 2), count: 1 },
    ]);
    expect(one).toEqual([{ ...death('a', 'expired', 1), count: 1 }]);
  });

  const line = { ...death('a', 'expired', 1), count: 1 };
  it.each<[is: boolean, value: unknown]>([
    [true, []],
    [true, [line]],
    [true, [line, { ...line, routingKeys: [] }]],
    [false, line],
    [false, null],
    [false, [null]],
    [false, ['a']],
    [false, [line, {}]],
    [false, [{ ...line, queue: 1 }]],
    [false, [{ ...line, reason: null }]],
    [false, [{ ...line, exchange: undefined }]],
    [false, [{ ...line, routingKeys: 'k' }]],
    [false, [{ ...line, routingKeys: [1] }]],
    [false, [{ ...line, count: '1' }]],
    [false, [{ ...line, time: null }]],
  ])('out of Redis is one: %p, %p', (is, value) => {
    expect(parseDeaths(JSON.stringify(value))).toEqual(is ? value : undefined);
  });

  it('out of Redis may be no JSON', () => {
    expect(parseDeaths('[')).toBeUndefined();
  });
});
