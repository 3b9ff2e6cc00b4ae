import { describe, expect, it } from '@jest/globals';
import { compare } from './comparison.js';
import type { Sample, Scenario, Settings } from './scenario.js';

const scenario: Scenario = {
  name: 'queue.publish',
  what: 'publishes',
  results: [{ name: 'queue.publish', unit: 'messages/s', better: 'more', targets: { bullmq: { atLeast: 4 } } }],
  subjects: {},
};

function samples(values: readonly number[], settings: Settings = { payloadBytes: 100, inFlight: 64 }): Sample[] {
  return values.map((value) => ({
    values: { 'queue.publish': value },
    settings,
    messages: 1,
    seconds: 1,
    delivery: null,
  }));
}

function compared(bySubject: Record<string, Sample[]>) {
  const [comparison] = compare(scenario, {
    samples: new Map(Object.entries(bySubject)),
    absent: {},
    rounds: 5,
    isJudged: true,
  });
  if (comparison === undefined) throw new Error('nothing was compared');
  return comparison;
}

const five = [1, 2, 3, 4, 5];

/** Of five rounds. */
function interval(median: number, low: number, high: number) {
  return { median, low, high, confidence: 0.9375 };
}

describe('a comparison', () => {
  it('is of medians, with their intervals, in the unit of the scenario', () => {
    const { ours, peers, ceiling, values } = compared({
      millrace: samples([50, 40, 90, 60, 45]),
      bullmq: samples([10, 9, 30, 12, 10]),
      ceiling: samples([100, 80, 90, 100, 90]),
    });
    expect(ours).toEqual(interval(50, 40, 90));
    expect(peers).toEqual({ bullmq: interval(10, 9, 30) });
    expect(ceiling).toEqual(interval(90, 80, 100));
    expect(values.bullmq).toEqual([10, 9, 30, 12, 10]);
  });

  it('divides within rounds: what both were slow in does not count', () => {
    // given: the machine is ten times slower in the fourth round
    const { ratio, ofCeiling, targets } = compared({
      millrace: samples([50, 51, 49, 5, 50]),
      bullmq: samples([10, 10, 10, 1, 10]),
      ceiling: samples([100, 102, 98, 10, 100]),
    });
    // then
    expect(ratio).toEqual({ bullmq: interval(5, 4.9, 5.1) });
    expect(ofCeiling).toEqual(interval(0.5, 0.5, 0.5));
    expect(targets).toEqual([
      { against: 'bullmq', wanted: '≥ 4', verdict: 'met', reached: interval(5, 4.9, 5.1), isWiderThanMargin: false },
    ]);
  });

  it('is refused when the settings differ, and says which', () => {
    const { peers, ratio, refused, targets } = compared({
      millrace: samples(five),
      bullmq: samples(five, { payloadBytes: 100, inFlight: 10 }),
    });
    expect({ peers, ratio, targets }).toEqual({ peers: {}, ratio: {}, targets: [] });
    expect(refused).toEqual({ bullmq: 'inFlight is 10, ours is 64' });
  });

  it('is refused when a setting of ours is unknown of the peer', () => {
    const { refused } = compared({ millrace: samples(five), bullmq: samples(five, { payloadBytes: 100 }) });
    expect(refused).toEqual({ bullmq: 'inFlight is unknown, ours is 64' });
  });

  it('is refused when a peer failed in a round', () => {
    const { refused, ratio } = compared({ millrace: samples(five), bullmq: samples([1, 2]) });
    expect({ refused, ratio }).toEqual({ refused: { bullmq: 'measured in 2 of 5 rounds' }, ratio: {} });
  });

  it('is refused when a peer failed in every round', () => {
    const { refused, peers } = compared({ millrace: samples(five), bullmq: [] });
    expect({ refused, peers }).toEqual({ refused: { bullmq: 'measured in 0 of 5 rounds' }, peers: {} });
  });

  it('of a run that is too short names its targets and does not judge', () => {
    const taken = new Map([
      ['millrace', samples([50, 40, 90])],
      ['bullmq', samples([10, 9, 30])],
    ]);
    const [comparison] = compare(scenario, { samples: taken, absent: {}, rounds: 3, isJudged: false });
    expect(comparison?.targets).toMatchObject([{ against: 'bullmq', wanted: '≥ 4', verdict: 'undecided' }]);
  });

  it('has no ratio to nothing', () => {
    const none = samples([0, 0, 0, 0, 0]);
    const { peers, ratio } = compared({ millrace: none, bullmq: none });
    expect(Object.keys(peers)).toEqual(['bullmq']);
    expect(ratio).toEqual({});
  });

  it('adds up what became of the messages of all rounds, once a scenario', () => {
    const delivered = samples(five).map((sample, round) => ({ ...sample, delivery: { sent: 10, duplicates: round } }));
    const twoResults = { ...scenario, results: [...scenario.results, ...scenario.results] };
    const measured = { samples: new Map([['bullmq', delivered]]), absent: {}, rounds: 5, isJudged: true };
    expect(compare(twoResults, measured).map(({ delivery }) => delivery)).toEqual([
      { bullmq: { sent: 50, duplicates: 10 } },
      {},
    ]);
  });
});
