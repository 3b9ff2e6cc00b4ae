import { describe, expect, it } from '@jest/globals';
import { CallFlow } from './call-flow.js';

function flowWith(...calls: readonly number[]): CallFlow {
  const flow = new CallFlow();
  for (const messages of calls) flow.began(messages);
  return flow;
}

describe('a pipeline', () => {
  it.each<[does: string, waiting: number, calls: readonly number[], may: boolean]>([
    ['sends nothing when nothing waits', 0, [], false],
    ['sends what waits while nothing is under way', 1, [], true],
    ['has a second small call under way', 499, [1], true],
    ['has no third small call under way', 499, [1, 1], false],
    ['has a fourth full call under way', 500, [500, 500, 500], true],
    ['has no fifth call under way', 500, [500, 500, 500, 500], false],
  ])('%s', (_does, waiting, calls, may) => {
    expect(flowWith(...calls).mayCall(waiting)).toBe(may);
  });

  it.each<[does: string, burst: readonly number[], early: number]>([
    ['half of the last burst', [100], 50],
    ['half of all that was under way simultaneously', [60, 40], 50],
    ['nothing before the tick ends after a small burst', [15], 500],
    ['no more than a full call', [500, 500, 500], 500],
  ])('sends early: %s', (_does, burst, early) => {
    const flow = flowWith(...burst);
    // while something is under way, a full call
    expect(flow.earlyMessages).toBe(500);
    for (const messages of burst) flow.ended(messages);
    expect(flow.isIdle).toBe(true);
    expect(flow.earlyMessages).toBe(early);
    // a smaller burst later counts by itself
    flow.began(20);
    flow.ended(20);
    expect(flow.earlyMessages).toBe(10);
  });
});
