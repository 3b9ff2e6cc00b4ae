import { describe, expect, it } from '@jest/globals';
import { waitFor } from './wait-for.js';

describe('waitFor', () => {
  it('resolves to the first truthy value of the predicate', async () => {
    const answers = [undefined, 0, '', 'here'];
    expect(await waitFor(() => answers.shift(), { what: 'an answer', intervalMs: 1 })).toBe('here');
  });

  it('takes an error for "not yet"', async () => {
    let looks = 0;
    const predicate = async () => {
      if (++looks < 3) throw new Error('away');
      return looks;
    };
    expect(await waitFor(predicate, { what: 'three looks', intervalMs: 1 })).toBe(3);
  });

  it('says what it waited for, and the last answer', async () => {
    const waiting = waitFor(() => false, { what: 'the moon to be full', timeoutMs: 5, intervalMs: 1 });
    await expect(waiting).rejects.toThrow('waited 5 ms for the moon to be full; the last value was false');
  });

  it('says the last error, and keeps it as the cause', async () => {
    const cause = new Error('clouds');
    const waiting = waitFor(() => Promise.reject(cause), { what: 'the moon', timeoutMs: 5, intervalMs: 1 });
    await expect(waiting).rejects.toMatchObject({
      message: 'waited 5 ms for the moon; the last check failed: clouds',
      cause,
    });
  });
});
