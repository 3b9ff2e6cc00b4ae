import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DeliveryLedger, sumOf } from './delivery-ledger.js';

function ledgerOf(ids: readonly number[]): DeliveryLedger {
  const ledger = new DeliveryLedger();
  for (const id of ids) ledger.note(id);
  return ledger;
}

describe('a ledger', () => {
  it.each([
    { ids: [0, 1, 2], sent: 3, expected: { sent: 3, duplicates: 0 } },
    { ids: [2, 0, 1], sent: 3, expected: { sent: 3, duplicates: 0 } },
    { ids: [0, 1, 2, 1, 1], sent: 3, expected: { sent: 3, duplicates: 2 } },
    { ids: [], sent: 0, expected: { sent: 0, duplicates: 0 } },
  ])('of $ids, $sent sent, is $expected', ({ ids, sent, expected }) => {
    expect(ledgerOf(ids).account(sent)).toEqual(expected);
  });

  it.each([
    { ids: [0, 2], sent: 3, problem: 'lost 1 of 3 messages: not handled at the end: ids 1' },
    // As many deliveries as messages: a count would be content.
    { ids: [0, 0, 2], sent: 3, problem: 'lost 1 of 3 messages: not handled at the end: ids 1' },
    {
      ids: [],
      sent: 12,
      problem: 'lost 12 of 12 messages: not handled at the end: ids 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …',
    },
    { ids: [0, 1, 5], sent: 2, problem: '1 deliveries of messages that were not sent, beside 2 that were' },
    { ids: [0, -1, 0.5, Number.NaN, 1e12], sent: 1, problem: '4 deliveries of messages that were not sent' },
  ])('of $ids, $sent sent, says $problem', ({ ids, sent, problem }) => {
    expect(() => ledgerOf(ids).account(sent)).toThrow(problem);
  });

  it('counts what comes again, and again after that', () => {
    const often = Array.from({ length: 1000 }, () => 0);
    expect(ledgerOf(often).account(1)).toEqual({ sent: 1, duplicates: 999 });
  });

  it('says whether a delivery is the first of its message', () => {
    const ledger = new DeliveryLedger();
    expect([5, 5, 100_000, 100_000, 6].map(ledger.note)).toEqual([true, false, true, false, true]);
    expect(ledger.handled).toBe(3);
  });

  it('takes over what another process noted', () => {
    const ledger = ledgerOf([0, 1]);
    ledger.add(structuredClone(ledgerOf([1, 2, 2_000]).pages()));
    expect(ledger.handled).toBe(4);
    expect(() => ledger.account(3)).toThrow('1 deliveries of messages that were not sent');
  });
});

describe('waiting for deliveries', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('ends with the last message, not with the last delivery', async () => {
    const ledger = ledgerOf([0, 0]);
    let isOver = false;
    const all = ledger.until(2).then(() => {
      isOver = true;
    });
    ledger.note(0);
    await Promise.resolve();
    expect(isOver).toBe(false);
    ledger.note(1);
    await all;
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends without a delivery for so long, and names what is missing', async () => {
    const ledger = ledgerOf([0]);
    const all = expect(ledger.until(3, { stalledAfterMs: 100 })).rejects.toThrow(
      'lost 1 of 3 messages: not handled for 100 ms: ids 1',
    );
    jest.advanceTimersByTime(99);
    ledger.note(2);
    jest.advanceTimersByTime(200);
    await all;
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is over when all are there already', async () => {
    await ledgerOf([0, 1]).until(2);
    expect(jest.getTimerCount()).toBe(0);
  });
});

it('several measurements come to their sum', () => {
  expect(
    sumOf([
      { sent: 3, duplicates: 1 },
      { sent: 4, duplicates: 0 },
    ]),
  ).toEqual({ sent: 7, duplicates: 1 });
});
