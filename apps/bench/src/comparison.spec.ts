import { describe, expect, it } from '@jest/globals';
import { compare, spreadOf } from './comparison.js';
import type { Sample, Scenario, Settings } from './scenario.js';

const scenario: Scenario = {
  name: 'queue.publish',
  what: 'publishes',
  results: [{ name: 'queue.publish', unit: 'messages/s', better: 'more', targets: { bullmq: { atLeast: 4 } } }],
  subjects: {},
};

function samples(values: readonly number[], settings: Settings = { payloadBytes: 100, inFlight: 64 }): Sample[] {
  return values.map((value) => ({ values: { 'queue.publish': value }, settings, messages: 1, seconds: 1 }));
}

function compared(bySubject: Record<string, Sample[]>) {
  const [comparison] = compare(scenario, {
    samples: new Map(Object.entries(bySubject)),
    absent: {},
    rounds: 3,
    isJudged: true,
  });
  if (comparison === undefined) throw new Error('nothing was compared');
  return comparison;
}

describe('a comparison', () => {
  it('is of medians, with their spread, in the unit of the scenario', () => {
    const { ours, peers, ratio, ceiling, ofCeiling, targets } = compared({
      millrace: samples([50, 40, 90]),
      bullmq: samples([10, 9, 30]),
      ceiling: samples([100, 80, 90]),
    });
    expect(ours).toEqual({ median: 50, min: 40, max: 90 });
    expect(peers).toEqual({ bullmq: { median: 10, min: 9, max: 30 } });
    expect(ratio).toEqual({ bullmq: 5 });
    expect({ ceiling, ofCeiling }).toEqual({ ceiling: 90, ofCeiling: 0.5556 });
    expect(targets).toEqual([{ against: 'bullmq', wanted: '≥ 4', isMet: true }]);
  });

  it('is refused when the settings differ, and says which', () => {
    const { peers, ratio, refused, targets } = compared({
      millrace: samples([50, 40, 90]),
      bullmq: samples([10, 9, 30], { payloadBytes: 100, inFlight: 10 }),
    });
    expect({ peers, ratio, targets }).toEqual({ peers: {}, ratio: {}, targets: [] });
    expect(refused).toEqual({ bullmq: 'inFlight is 10, ours is 64' });
  });

  it('is refused when a setting of ours is unknown of the peer', () => {
    const { refused } = compared({ millrace: samples([1, 2, 3]), bullmq: samples([1, 2, 3], { payloadBytes: 100 }) });
    expect(refused).toEqual({ bullmq: 'inFlight is unknown, ours is 64' });
  });

  it('is refused when a peer failed in a round', () => {
    const { refused, ratio } = compared({ millrace: samples([1, 2, 3]), bullmq: samples([1, 2]) });
    expect({ refused, ratio }).toEqual({ refused: { bullmq: 'measured in 2 of 3 rounds' }, ratio: {} });
  });

  it('is refused when a peer failed in every round', () => {
    const { refused, peers } = compared({ millrace: samples([1, 2, 3]), bullmq: [] });
    expect({ refused, peers }).toEqual({ refused: { bullmq: 'measured in 0 of 3 rounds' }, peers: {} });
  });

  it('of a run that is too short names its targets and does not judge', () => {
    const taken = new Map([
      ['millrace', samples([50, 40, 90])],
      ['bullmq', samples([10, 9, 30])],
    ]);
    const [comparison] = compare(scenario, { samples: taken, absent: {}, rounds: 3, isJudged: false });
    expect(comparison?.targets).toEqual([{ against: 'bullmq', wanted: '≥ 4', isMet: null }]);
  });

  it('has no ratio to nothing', () => {
    const { peers, ratio } = compared({ millrace: samples([0, 0, 0]), bullmq: samples([0, 0, 0]) });
    expect(Object.keys(peers)).toEqual(['bullmq']);
    expect(ratio).toEqual({});
  });
});

describe('a median', () => {
  it('of an even number of values lies between the middle two', () => {
    expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
  });
});
