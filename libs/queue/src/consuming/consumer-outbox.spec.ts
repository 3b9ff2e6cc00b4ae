import { describe, expect, it } from '@jest/globals';
import type { Verdict } from '../store/settle.js';
import { soonest } from './consumer-outbox.js';

const retry = (delayMs: number): Verdict => ({
  kind: 'retry',
  id: `in-${delayMs}`,
  delayMs,
  increment: 1,
  handled: '',
});
const drop: Verdict = { kind: 'drop', id: 'dropped' };

describe('when the next delayed message is due', () => {
  it('follows what the turn saw and the retries that went with it', () => {
    expect(soonest(undefined, [])).toBeUndefined();
    expect(soonest(undefined, [drop])).toBeUndefined();
    expect(soonest(70, [drop])).toBe(70);
    expect(soonest(undefined, [retry(100), drop, retry(50)])).toBe(50);
    expect(soonest(20, [retry(100)])).toBe(20);
    expect(soonest(200, [retry(100)])).toBe(100);
  });
});
