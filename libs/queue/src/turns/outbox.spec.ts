import { describe, expect, it } from '@jest/globals';
import { planTurn, type TurnNeeds } from '../model/turn-plan.js';
import type { SettleCommand } from '../store/settle.js';
import { Outbox, soonest } from './outbox.js';

const retry = (delayMs: number): SettleCommand => ({
  kind: 'retry',
  id: `in-${delayMs}`,
  delayMs,
  increment: 1,
  handled: '',
});
const drop = (id: string): SettleCommand => ({ kind: 'drop', id });
const nothing = { claims: 0, acknowledgements: 0, sent: 0, settleCommands: 0 };

/** What the next turn of a consumer brings that has room for nothing. */
function nextOf(outbox: Outbox) {
  const needs: TurnNeeds = {
    ...{ room: 0, held: 0, fetchSize: 1, wakeUp: 'me', isDue: false },
    ...{ hasBacklog: false, mayAskAhead: false, isAgreed: true },
    pending: outbox.pending(0),
  };
  return outbox.batch(planTurn(needs) ?? nothing);
}

describe('when the next delayed message is due', () => {
  it('follows what the turn saw and the retries that went with it', () => {
    expect(soonest(undefined, [])).toBeUndefined();
    expect(soonest(undefined, [drop('a')])).toBeUndefined();
    expect(soonest(70, [drop('a')])).toBe(70);
    expect(soonest(undefined, [retry(100), drop('a'), retry(50)])).toBe(50);
    expect(soonest(20, [retry(100)])).toBe(20);
    expect(soonest(200, [retry(100)])).toBe(100);
  });
});

describe('what a consumer sends with a turn', () => {
  it('is not sent twice by a turn that is sent while another is under way, and is kept until each has its reply', () => {
    const outbox = new Outbox();
    for (const id of ['a', 'b']) outbox.acknowledge(id);
    const first = outbox.batch({ ...nothing, acknowledgements: 2 });
    for (const id of ['c', 'd']) outbox.acknowledge(id);
    const second = outbox.batch({ ...nothing, acknowledgements: 2, sent: 2 });
    expect([first.acknowledged, second.acknowledged]).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect([0, 2, 4].map((sent) => outbox.pending(sent).acknowledgements)).toEqual([4, 2, 0]);
    outbox.confirmed(first);
    expect([...outbox.ids()]).toEqual(['c', 'd']);
    outbox.confirmed(second);
    expect(outbox.isEmpty).toBe(true);
  });

  it('goes in the numbers that are planned, but no settle command before the claim of its message', () => {
    const outbox = new Outbox();
    for (const id of ['a', 'b', 'c']) outbox.claim(id);
    for (const id of ['c', 'd', 'e', 'f']) outbox.settle(drop(id));
    expect(outbox.batch({ ...nothing, settleCommands: 2 }).settleCommands).toEqual([drop('c'), drop('d')]);
    const batch = outbox.batch({ ...nothing, claims: 2, settleCommands: 2 });
    expect(batch).toEqual({
      claimed: ['a', 'b'],
      acknowledged: [],
      settleCommands: [drop('d'), drop('e')],
      completions: [],
    });
    outbox.confirmed(batch);
    expect(outbox.pending(0)).toMatchObject({ claims: 1, acknowledgements: 0, settleCommands: 2 });
    expect(outbox.batch({ ...nothing, claims: 1, settleCommands: 2 }).settleCommands).toEqual([drop('f')]);
  });

  it('has no completions unless the queue keeps completed messages', () => {
    const outbox = new Outbox();
    outbox.acknowledge('a');
    expect(nextOf(outbox).completions).toEqual([]);
    outbox.acknowledge('b', { startedAt: 5, result: '7' });
    expect(nextOf(outbox).completions).toEqual([
      { startedAt: undefined, result: '' },
      { startedAt: 5, result: '7' },
    ]);
  });

  it('has results of up to a MiB per turn, and at least one', () => {
    const outbox = new Outbox();
    const result = 'x'.repeat(400 * 1024);
    for (const id of ['a', 'b', 'c']) outbox.acknowledge(id, { startedAt: 1, result });
    outbox.acknowledge('d', { startedAt: 1, result: result.repeat(3) });
    expect([0, 1, 2, 3, 4].map((sent) => outbox.pending(sent).fitting)).toEqual([2, 2, 1, 1, 0]);
    const brought: (readonly string[])[] = [];
    while (!outbox.isEmpty) {
      const batch = nextOf(outbox);
      expect(batch.completions).toHaveLength(batch.acknowledged.length);
      brought.push(batch.acknowledged);
      outbox.confirmed(batch);
    }
    expect(brought).toEqual([['a', 'b'], ['c'], ['d']]);
    outbox.acknowledge('e');
    expect(nextOf(outbox).completions).toEqual([]);
  });
});
