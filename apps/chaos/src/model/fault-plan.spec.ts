import { describe, expect, it } from '@jest/globals';
import { countFaults, drawFaults, faultKinds, type Servers } from './fault-plan.js';

const oneServer = { seconds: 60, servers: 'one' } as const;

describe('the faults of a seed', () => {
  it('are the same for the same seed, whenever they are drawn', () => {
    expect(drawFaults({ seed: 7, ...oneServer })).toEqual(drawFaults({ seed: 7, ...oneServer }));
    expect(drawFaults({ seed: 7, ...oneServer })).not.toEqual(drawFaults({ seed: 8, ...oneServer }));
  });

  it('do not depend on the machine: these are the first three of seed 1', () => {
    const [first, second, third] = drawFaults({ seed: 1, ...oneServer });
    expect([first, second, third]).toMatchObject([
      { kind: 'restart-redis', atMs: 1500, forMs: 0 },
      { kind: 'freeze-consumer', atMs: 4238, forMs: 3649 },
      { kind: 'rolling-restart', atMs: 6998, forMs: 0 },
    ]);
  });

  it.each<Servers>(['one', 'cluster', 'sentinel'])('have every kind in a minute (%s)', (servers) => {
    for (let seed = 0; seed < 100; seed++) {
      const faults = drawFaults({ seed, seconds: 60, servers });
      expect(Object.keys(countFaults(faults)).sort()).toEqual([...faultKinds[servers]].sort());
    }
  });

  it('begin one after the other, within the time', () => {
    const times = drawFaults({ seed: 3, seconds: 120, servers: 'one' }).map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.at(-1)).toBeLessThan(120_000);
  });
});
