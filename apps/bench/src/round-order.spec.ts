import { describe, expect, it } from '@jest/globals';
import { roundOrder } from './round-order.js';

describe('the order of a round', () => {
  it.each([
    { round: 0, order: ['ours', 'peer', 'ceiling'] },
    { round: 1, order: ['ceiling', 'peer', 'ours'] },
    { round: 2, order: ['peer', 'ceiling', 'ours'] },
    { round: 3, order: ['ours', 'ceiling', 'peer'] },
    { round: 4, order: ['ceiling', 'ours', 'peer'] },
    { round: 6, order: ['ours', 'peer', 'ceiling'] },
  ])('$round is $order', ({ round, order }) => {
    expect(roundOrder(['ours', 'peer', 'ceiling'], round)).toEqual(order);
  });

  it('lets each of any two be first equally often', () => {
    const subjects = ['a', 'b', 'c', 'd', 'e'];
    const isBefore = (a: string, b: string, round: number) => {
      const order = roundOrder(subjects, round);
      return order.indexOf(a) < order.indexOf(b);
    };
    for (const a of subjects) {
      for (const b of subjects.filter((other) => other !== a)) {
        const first = Array.from({ length: 10 }, (_, round) => isBefore(a, b, round)).filter(Boolean);
        expect(first).toHaveLength(5);
      }
    }
  });

  it('of no subjects is empty', () => {
    expect(roundOrder([], 3)).toEqual([]);
  });
});
