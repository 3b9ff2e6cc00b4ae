import { describe, expect, it } from '@jest/globals';
import { InFlight } from './in-flight.js';
import { Lifecycle } from './lifecycle.js';
import { RateLimit } from './rate-limit.js';

describe('Lifecycle', () => {
  it('starts once and stops once, however often it is asked', async () => {
    const lifecycle = new Lifecycle();
    const calls: string[] = [];
    const start = () => lifecycle.start(async () => void calls.push('start'));
    const stop = () => lifecycle.stop(async () => void calls.push('stop'));
    await Promise.all([start(), start()]);
    await Promise.all([stop(), stop()]);
    expect(calls).toEqual(['start', 'stop']);
    expect(lifecycle.state).toBe('stopped');
    await expect(start()).rejects.toThrow('cannot be started again: make a new one');
  });

  it('has nothing to stop before it was started', async () => {
    const lifecycle = new Lifecycle();
    await lifecycle.stop(() => Promise.reject(new Error('was called')));
    expect(lifecycle.state).toBe('stopped');
  });

  it('can be started again after a start that failed', async () => {
    const lifecycle = new Lifecycle();
    await expect(lifecycle.start(() => Promise.reject(new Error('no Redis')))).rejects.toThrow('no Redis');
    await lifecycle.start(async () => undefined);
    expect(lifecycle.state).toBe('running');
  });

  it('stops after a start that is still under way, never in the middle of it', async () => {
    const lifecycle = new Lifecycle();
    const calls: string[] = [];
    let finish: () => void = () => undefined;
    const starting = lifecycle.start(() =>
      new Promise<void>((resolve) => (finish = resolve)).then(() => void calls.push('started')),
    );
    const stopping = lifecycle.stop(async () => void calls.push('stopped'));
    finish();
    await Promise.all([starting, stopping]);
    expect(calls).toEqual(['started', 'stopped']);
  });
});

describe('InFlight', () => {
  it('has room up to its limit, and says when it is drained', async () => {
    const inFlight = new InFlight(1);
    inFlight.begin();
    expect(inFlight.room).toBe(0);
    expect(await inFlight.drained(1)).toBe(false);
    const waiting = inFlight.hasRoom();
    inFlight.end();
    await waiting;
    expect(await inFlight.drained(0)).toBe(true);
  });
});

describe('RateLimit', () => {
  it('never gives more than its rate and its burst, whatever the clock does', () => {
    const limit = new RateLimit({ limit: 10, intervalMs: 1000 }, 0, 2);
    expect(limit.take(5, 0)).toBe(2);
    expect(limit.take(5, 0)).toBe(0);
    expect(limit.waitMs(0)).toBe(100);
    expect(limit.take(5, 100)).toBe(1);
    expect(limit.take(5, 50)).toBe(0);
    expect(limit.take(5, 10_000)).toBe(2);
  });

  it('gives one at a time where the rate is below one a second, each when it is due', () => {
    const limit = new RateLimit({ limit: 15, intervalMs: 60_000 }, 0);
    expect([limit.take(5, 0), limit.waitMs(0)]).toEqual([1, 4000]);
    expect([limit.take(5, 3999), limit.waitMs(3999)]).toEqual([0, 1]);
    expect([limit.take(5, 4000), limit.waitMs(4000)]).toEqual([1, 4000]);
    // However long it was at rest.
    expect(limit.take(5, 600_000)).toBe(1);
  });

  it('counts what was spent before it was there', () => {
    const limit = new RateLimit({ limit: 1, intervalMs: 1000 }, 0);
    limit.spend(2, 0);
    expect([limit.available(0), limit.take(1, 0), limit.waitMs(0)]).toEqual([0, 0, 2000]);
  });
});
