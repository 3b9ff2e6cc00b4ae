import { describe, expect, it } from '@jest/globals';
import { FirstUse } from './first-use.js';

describe('what must be done before the first use', () => {
  it('is done by the first use, once, and all uses until then wait for it', async () => {
    // given
    let runs = 0;
    let end = (): void => undefined;
    const firstUse = new FirstUse(() => {
      runs++;
      return new Promise<void>((resolve) => {
        end = resolve;
      });
    });
    expect([runs, firstUse.isDone]).toEqual([0, false]);
    // when
    const uses = [firstUse.done(60_000), firstUse.done(Number.POSITIVE_INFINITY)];
    end();
    // then
    expect(await Promise.all([...uses, firstUse.done(0)])).toEqual([true, true, true]);
    expect([runs, firstUse.isDone]).toEqual([1, true]);
  });

  it('is done again by the next use when it failed, and fails those that waited', async () => {
    // given
    let runs = 0;
    const firstUse = new FirstUse(async () => {
      if (++runs === 1) throw new Error('not yet');
    });
    // when
    const uses = [firstUse.done(60_000), firstUse.done(60_000)];
    // then
    for (const use of uses) await expect(use).rejects.toThrow('not yet');
    await expect(firstUse.done(60_000)).resolves.toBe(true);
    expect(runs).toBe(2);
  });

  it('is waited for no longer than the use may wait', async () => {
    // given
    const firstUse = new FirstUse(() => new Promise(() => undefined));
    // when
    const use = firstUse.done(0);
    // then
    await expect(use).resolves.toBe(false);
  });
});
