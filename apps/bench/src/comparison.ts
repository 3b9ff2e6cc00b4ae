import { type Delivery, sumOf } from './delivery-ledger.js';
import type { Result, Sample, Scenario, Settings } from './scenario.js';
import { type Estimate, estimate } from './statistics.js';
import { isWiderThanMargin, judge, showTarget, type Target, type Verdict } from './verdict.js';

/** One row of the table, and one entry of the JSON. */
export interface Comparison {
  /** The result's name, in the JSON's words. */
  readonly scenario: string;
  readonly unit: string;
  readonly better: Result['better'];
  /** Null when ours failed, or was not asked for. */
  readonly ours: Estimate | null;
  readonly peers: Readonly<Record<string, Estimate>>;
  /** Ours divided by the peer's in the same round, in the scenario's own unit: the median of the rounds. */
  readonly ratio: Readonly<Record<string, Estimate>>;
  /** The least code that could do the same. */
  readonly ceiling: Estimate | null;
  /** Ours divided by the ceiling's in the same round. */
  readonly ofCeiling: Estimate | null;
  /** What each subject's rounds gave, in their order. */
  readonly values: Readonly<Record<string, readonly number[]>>;
  /** The same for every number of this entry. */
  readonly settings: Settings;
  readonly rounds: number;
  /** What became of every message of each subject, all rounds together. Empty where nothing is sent, and beside a scenario's first result. */
  readonly delivery: Readonly<Record<string, Delivery>>;
  /** Peers that could not be asked, and why. */
  readonly absent: Readonly<Record<string, string>>;
  /** Peers whose numbers are kept back, and why: other settings than ours. */
  readonly refused: Readonly<Record<string, string>>;
  readonly targets: readonly TargetVerdict[];
  /** What a number of ours cannot say, of the round whose number is the median. */
  readonly note: string | undefined;
}

export interface TargetVerdict {
  readonly against: string;
  readonly wanted: string;
  readonly verdict: Verdict;
  /** What the verdict rests on: ours, or ours divided by the subject's. */
  readonly reached: Estimate;
  /** The rounds differ by more than the target leaves: they say nothing of it. */
  readonly isWiderThanMargin: boolean;
}

/** What the rounds of one scenario gave: the samples of each subject, or why there are none. */
export interface Measured {
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
  readonly absent: Readonly<Record<string, string>>;
  readonly rounds: number;
  /** Whether it was long enough to hold it against the targets. */
  readonly isJudged: boolean;
}

/** One comparison a result of the scenario. */
export function compare(scenario: Scenario, measured: Measured): Comparison[] {
  return scenario.results
    .filter(({ name }) => [...measured.samples.values()].flat().some(({ values }) => values[name] !== undefined))
    .map((result, index) => ({
      ...compareResult(scenario, result, measured),
      delivery: index === 0 ? deliveries(measured.samples) : {},
    }));
}

function compareResult(
  scenario: Scenario,
  result: Result,
  { samples, absent, rounds, isJudged }: Measured,
): Omit<Comparison, 'delivery'> {
  const ordered = [samples.get('millrace') ?? [], ...samples.values()];
  const reference = ordered.find((taken) => taken.length > 0) ?? [];
  const settings = reference[0]?.settings ?? {};
  const refused: Record<string, string> = {};
  const values: Record<string, number[]> = {};
  for (const [subject, taken] of samples) {
    const problem = settingsProblem(settings, taken, rounds);
    const given = taken.flatMap(({ values }) => values[result.name] ?? []);
    // Not everyone gives every result; who failed in every round gives none.
    if (given.length === 0 && taken.length > 0) continue;
    if (problem !== undefined) refused[subject] = problem;
    else values[subject] = given;
  }
  const { millrace: ours = null, ceiling = null, ...peers } = mapValues(values, estimateOf);
  const { ceiling: ofCeiling = null, ...ratio } = ratios(values);
  const named: Readonly<Record<string, Estimate>> = {
    ...ratio,
    ...(ofCeiling === null ? {} : { ceiling: ofCeiling }),
    ...(ours === null ? {} : { ours }),
  };
  return {
    scenario: result.name,
    unit: result.unit,
    better: result.better,
    ours,
    peers,
    ratio,
    ceiling,
    ofCeiling,
    values: mapValues(values, (given) => given.map(round)),
    settings,
    rounds,
    absent: Object.fromEntries(Object.entries(absent).filter(([subject]) => subject in scenario.subjects)),
    refused,
    note: noteOf(samples.get('millrace') ?? [], result.name),
    targets: Object.entries(result.targets ?? {}).flatMap(([against, target]) => {
      const reached = named[against];
      if (reached === undefined) return [];
      return [
        verdictOn(target, { against, reached, isJudged, isRatio: against !== 'ours' || result.unit === 'times' }),
      ];
    }),
  };
}

/**
 * Ours divided by each other subject's of the same round: a machine that is slow for a minute is so for both. Beside one that has none of it in a
 * round (no early delivery, say) there is no ratio.
 */
function ratios({ millrace, ...others }: Readonly<Record<string, readonly number[]>>): Record<string, Estimate> {
  if (millrace === undefined) return {};
  const some = Object.entries(others).filter(([, theirs]) => !theirs.includes(0));
  return Object.fromEntries(
    some.map(([subject, theirs]) => [
      subject,
      estimateOf(millrace.map((value, index) => value / (theirs[index] ?? Number.NaN))),
    ]),
  );
}

function noteOf(samples: readonly Sample[], result: string): string | undefined {
  const noted = samples.filter(({ notes }) => notes?.[result] !== undefined);
  const sorted = noted.sort((a, b) => (a.values[result] ?? 0) - (b.values[result] ?? 0));
  return sorted[Math.floor((sorted.length - 1) / 2)]?.notes?.[result];
}

function deliveries(samples: Measured['samples']): Record<string, Delivery> {
  const entries = [...samples].flatMap(([subject, taken]) => {
    const known = taken.flatMap(({ delivery }) => delivery ?? []);
    return known.length === 0 ? [] : [[subject, sumOf(known)] as const];
  });
  return Object.fromEntries(entries);
}

function verdictOn(
  target: Target,
  {
    against,
    reached,
    isJudged,
    isRatio,
  }: { readonly against: string; readonly reached: Estimate; readonly isJudged: boolean; readonly isRatio: boolean },
): TargetVerdict {
  return {
    against,
    wanted: showTarget(target),
    verdict: judge(target, reached, { isWholeRun: isJudged }),
    reached,
    isWiderThanMargin: isWiderThanMargin(target, reached, { isRatio }),
  };
}

/** Why these samples may not stand beside ours; undefined when they may. */
export function settingsProblem(wanted: Settings, samples: readonly Sample[], rounds: number): string | undefined {
  if (samples.length !== rounds) return `measured in ${samples.length} of ${rounds} rounds`;
  for (const { settings } of samples) {
    for (const name of new Set([...Object.keys(wanted), ...Object.keys(settings)])) {
      if (settings[name] !== wanted[name]) {
        return `${name} is ${settings[name] ?? 'unknown'}, ours is ${wanted[name] ?? 'unknown'}`;
      }
    }
  }
  return undefined;
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}

/** Four significant digits: more would claim a precision that is not there. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}

function estimateOf(values: readonly number[]): Estimate {
  const { median, low, high, confidence } = estimate(values);
  return { median: round(median), low: round(low), high: round(high), confidence: round(confidence) };
}
