import { describe, expect, it } from '@jest/globals';
import type { Verdict } from '../store/settle.js';
import { Outbox, soonest } from './outbox.js';

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

describe('what a consumer has to tell', () => {
  it('is not told twice by a turn that goes while another is under way, and is there until each is answered', () => {
    const outbox = new Outbox();
    for (const id of ['a', 'b']) outbox.acknowledge(id);
    const first = outbox.next();
    for (const id of ['c', 'd']) outbox.acknowledge(id);
    const second = outbox.next(first.acknowledged.length);
    expect([first.acknowledged, second.acknowledged]).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(outbox.stillHeldWith(second, first.acknowledged.length)).toBe(0);
    expect(outbox.isPlain).toBe(true);
    outbox.confirmed(first);
    expect([...outbox.ids()]).toEqual(['c', 'd']);
    outbox.confirmed(second);
    expect(outbox.isEmpty).toBe(true);
  });
});
