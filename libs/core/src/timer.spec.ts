import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { endsWithin, pause, startTimer, stopTimer, within } from './timer.js';

const dayMs = 86_400_000;

describe('a timer', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('keeps a time that Node itself would not', () => {
    const fired: string[] = [];
    startTimer((name) => fired.push(name), 60 * dayMs, 'two months');
    startTimer((name) => fired.push(name), 2 ** 31, 'a millisecond too long');
    startTimer(() => fired.push('a day'), dayMs);

    jest.advanceTimersByTime(dayMs);
    expect(fired).toEqual(['a day']);
    jest.advanceTimersByTime(30 * dayMs);
    expect(fired).toEqual(['a day', 'a millisecond too long']);
    jest.advanceTimersByTime(29 * dayMs - 1);
    expect(fired).toHaveLength(2);
    jest.advanceTimersByTime(1);
    expect(fired).toEqual(['a day', 'a millisecond too long', 'two months']);
  });

  it('never fires after an infinite time, nor when it was stopped', () => {
    let fired = 0;
    const count = (): void => void fired++;
    startTimer(count, Number.POSITIVE_INFINITY).unref();
    expect(jest.getTimerCount()).toBe(0);
    const long = startTimer(count, 60 * dayMs);
    jest.advanceTimersByTime(40 * dayMs);
    stopTimer(long);
    stopTimer(startTimer(count, dayMs));
    stopTimer(undefined);

    jest.advanceTimersByTime(400 * dayMs);
    expect(fired).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends with the work that it limits', async () => {
    const never = new Promise<string>(() => undefined);
    const late = within(never, 10);
    jest.advanceTimersByTime(10);

    expect(await late).toBeUndefined();
    expect(await within(Promise.resolve('done'), dayMs)).toBe('done');
    await expect(within(Promise.reject(new Error('no')), dayMs)).rejects.toThrow('no');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends a pause when its signal is aborted', async () => {
    const stopping = new AbortController();
    const paused = pause(Number.POSITIVE_INFINITY, { signal: stopping.signal });
    const ended = pause(60 * dayMs, { ref: false, signal: stopping.signal });

    stopping.abort();
    await Promise.all([paused, ended, pause(dayMs, { signal: stopping.signal })]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('waits for work no longer than its time, and leaves no timer behind', async () => {
    const never = endsWithin(new Promise(() => undefined), 60 * dayMs);
    await expect(endsWithin(Promise.resolve('done'), dayMs)).resolves.toBe(true);
    await expect(endsWithin(Promise.reject(new Error('failed')), dayMs)).rejects.toThrow('failed');
    expect(jest.getTimerCount()).toBe(1);

    jest.advanceTimersByTime(60 * dayMs);
    await expect(never).resolves.toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });
});
