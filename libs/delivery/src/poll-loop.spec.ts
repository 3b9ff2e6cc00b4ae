import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PollLoop } from './poll-loop.js';

describe('a poll loop', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  /** A loop that notes when it polls, in ms since it began; `poll` says how each poll ends. */
  async function noting(poll: (count: number) => number) {
    const startedAt = Date.now();
    const polls: number[] = [];
    const errors: unknown[] = [];
    const loop = new PollLoop(
      async () => {
        polls.push(Date.now() - startedAt);
        return poll(polls.length);
      },
      (error) => errors.push(error),
    );
    await loop.start();
    return { loop, polls, errors };
  }

  function fail(): never {
    throw new Error('Redis is away');
  }

  it('rests 50, 100, 200 … ms after polls that fail, and 2 s at most', async () => {
    const { loop, polls, errors } = await noting(fail);
    await jest.advanceTimersByTimeAsync(9000);
    expect(polls).toEqual([0, 50, 150, 350, 750, 1550, 3150, 5150, 7150]);
    expect(errors).toHaveLength(polls.length);
    await loop.stop();
  });

  it('begins with 50 ms again after a poll that did its work', async () => {
    const { loop, polls } = await noting((count) => (count === 3 ? 10 : fail()));
    await jest.advanceTimersByTimeAsync(300);
    expect(polls).toEqual([0, 50, 150, 160, 210]);
    await loop.stop();
  });

  it('polls again immediately when it is woken during a poll', async () => {
    const { loop, polls } = await noting((count) => {
      if (count === 2) loop.wake();
      return 1000;
    });
    await jest.advanceTimersByTimeAsync(1999);
    expect(polls).toEqual([0, 1000, 1000]);
    await loop.stop();
  });

  it('polls immediately when it is woken, and no more when it is stopped', async () => {
    const { loop, polls, errors } = await noting(() => 1000);
    await jest.advanceTimersByTimeAsync(10);
    loop.wake();
    await jest.advanceTimersByTimeAsync(0);
    expect(polls).toEqual([0, 10]);
    await loop.stop();
    await jest.advanceTimersByTimeAsync(5000);
    expect(polls).toEqual([0, 10]);
    expect(errors).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });
});
