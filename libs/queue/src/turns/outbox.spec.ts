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

  it('says nothing of what it acknowledges unless the queue keeps it', () => {
    const outbox = new Outbox();
    outbox.acknowledge('a');
    expect(outbox.next().completions).toEqual([]);
    outbox.acknowledge('b', { startedAt: 5, result: '7' });
    expect(outbox.next().completions).toEqual([
      { startedAt: undefined, result: '' },
      { startedAt: 5, result: '7' },
    ]);
  });

  it('has so many results a turn as are a MiB together, and one in any case', () => {
    const outbox = new Outbox();
    const result = 'x'.repeat(400 * 1024);
    for (const id of ['a', 'b', 'c']) outbox.acknowledge(id, { startedAt: 1, result });
    outbox.acknowledge('d', { startedAt: 1, result: result.repeat(3) });
    const brought: (readonly string[])[] = [];
    while (!outbox.isEmpty) {
      const batch = outbox.next();
      expect(batch.completions).toHaveLength(batch.acknowledged.length);
      brought.push(batch.acknowledged);
      outbox.confirmed(batch);
    }
    expect(brought).toEqual([['a', 'b'], ['c'], ['d']]);
    outbox.acknowledge('e');
    expect(outbox.next().completions).toEqual([]);
  });
});
