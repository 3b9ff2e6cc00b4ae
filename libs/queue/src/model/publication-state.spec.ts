import { describe, expect, it } from '@jest/globals';
import { type NextStep, nextStep, type PublicationState } from './publication-state.js';

describe('when a call with a message has ended', () => {
  it.each<[does: string, state: PublicationState, callsLeft: number, topics: number, next: NextStep]>([
    ['it is confirmed', 'sent', 0, 0, 'confirm'],
    ['its topics follow', 'sent', 0, 1, 'append'],
    ['its other calls are waited for', 'sent', 1, 0, 'nothing'],
    ['it is routed again if one found another topology', 'misrouted', 0, 0, 'route'],
    ['it is routed again before its topics follow', 'misrouted', 0, 1, 'route'],
    ['its other calls are waited for before it is routed again', 'misrouted', 1, 0, 'nothing'],
    ['it is confirmed if all its slots had replied before', 'routing', 0, 0, 'confirm'],
    ['nothing follows if it was given up', 'settled', 0, 1, 'nothing'],
  ])('%s', (_does, state, callsLeft, topics, next) => {
    expect(nextStep(state, callsLeft, topics)).toBe(next);
  });
});
