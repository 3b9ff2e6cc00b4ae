import { describe, expect, it } from '@jest/globals';
import { CommitWindow } from './commit-window.js';

const second = 1000;

/** Looks every 5 seconds. */
function status(looks: readonly (readonly [committed: number, lag: number, isOwned?: boolean])[]): string {
  const window = new CommitWindow();
  looks.forEach(([committed, lag, isOwned = true], index) => {
    window.observe({ at: index * 5 * second, committed, lag, isOwned }, second);
  });
  return window.status();
}

describe('the status of a group on a partition, as Burrow has it', () => {
  it.each([
    [
      'ok',
      'everything is read',
      [
        [10, 5],
        [20, 5],
        [30, 0],
      ],
    ],
    [
      'ok',
      'it had caught up within the window',
      [
        [10, 0],
        [10, 5],
        [10, 9],
      ],
    ],
    [
      'ok',
      'it makes progress and the lag fell once',
      [
        [10, 50],
        [20, 45],
        [30, 47],
      ],
    ],
    [
      'warning',
      'it makes progress, but the lag never falls',
      [
        [10, 50],
        [20, 55],
        [30, 60],
      ],
    ],
    [
      'stall',
      'its owner lives and its offset does not move',
      [
        [10, 5],
        [10, 6],
        [10, 7],
      ],
    ],
    [
      'rewind',
      'it went back',
      [
        [30, 5],
        [10, 25],
        [20, 15],
      ],
    ],
    [
      'stop',
      'no member owns it, and there were no commits for longer than there were',
      [
        [10, 5],
        [20, 5],
        [20, 6, false],
        [20, 7, false],
      ],
    ],
    [
      'stop',
      'no member ever came',
      [
        [0, 5, false],
        [0, 5, false],
        [0, 5, false],
      ],
    ],
    [
      'stop',
      'it had caught up, and then stopped',
      [
        [10, 0],
        [10, 0],
        [10, 3, false],
        [10, 4, false],
      ],
    ],
    [
      'ok',
      'too little was seen of it',
      [
        [10, 5],
        [10, 6],
      ],
    ],
  ] as const)('is %s when %s', (expected, _why, looks) => {
    expect(status(looks)).toBe(expected);
  });

  it('forgets commits beyond the last ten', () => {
    const rewound = [
      [90, 5],
      [10, 85],
    ] as const;
    const since = Array.from({ length: 10 }, (_, index) => [20 + index, 80 - index] as const);
    expect(status([...rewound, ...since])).toBe('ok');
  });

  it('is not shortened by looks in quick succession', () => {
    const window = new CommitWindow();
    for (let at = 0; at < 100; at++) window.observe({ at, committed: 10, lag: 5, isOwned: true }, second);
    expect(window.status()).toBe('ok');
  });

  it('is ok before anything was seen', () => {
    expect(new CommitWindow().status()).toBe('ok');
  });

  it.each<[expected: string, looks: Parameters<typeof status>[0]]>([
    [
      'ok',
      [
        [10, 5],
        [10, 5],
        [10, 0],
      ],
    ],
    [
      'ok',
      [
        [10, 5],
        [10, 0],
        [10, 5],
      ],
    ],
    [
      'ok',
      [
        [10, 0],
        [20, 5],
        [20, 6],
      ],
    ],
    [
      'warning',
      [
        [10, 5],
        [20, 5],
        [30, 5],
      ],
    ],
    [
      'warning',
      [
        [10, 5],
        [10, 5],
        [20, 5],
      ],
    ],
    [
      'stall',
      [
        [10, 5],
        [10, 4],
        [10, 3],
      ],
    ],
    [
      'warning',
      [
        [10, 5],
        [20, 5],
        [20, 5, false],
      ],
    ],
    [
      'stop',
      [
        [10, 5],
        [20, 5],
        [20, 5, false],
        [20, 5, false],
      ],
    ],
    [
      'ok',
      [
        [10, 5, false],
        [20, 5, false],
        [30, 4, false],
      ],
    ],
  ])('is %s after %p', (expected, looks) => {
    expect(status(looks)).toBe(expected);
  });

  it('counts a look only after its interval, or when the offset moved', () => {
    const window = new CommitWindow();
    const look = (at: number, committed: number, lag: number) =>
      window.observe({ at, committed, lag, isOwned: true }, second);
    // given two looks, the second of which only corrects the lag
    look(10_000, 10, 5);
    look(10_999, 10, 6);
    look(11_000, 10, 6);
    expect(window.status()).toBe('ok');
    // when a third comes quickly with another offset, then it counts
    look(11_001, 9, 7);
    expect(window.status()).toBe('rewind');
  });

  it('is ok with nothing left to read, though no member commits any more', () => {
    expect(
      status([
        [10, 5],
        [20, 0],
        [20, 0, false],
        [20, 0, false],
        [20, 0, false],
      ]),
    ).toBe('ok');
  });

  it('goes by how long commits took, whenever that was', () => {
    const window = new CommitWindow();
    const look = (at: number, isOwned: boolean) =>
      window.observe({ at: 1_000_000 + at * second, committed: 10, lag: 5, isOwned }, second);
    for (const at of [0, 5, 10]) look(at, true);
    look(20, false);
    expect(window.status()).toBe('stall');
    look(21, false);
    expect(window.status()).toBe('stop');
  });
});
