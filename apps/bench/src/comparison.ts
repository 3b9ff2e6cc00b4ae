import type { Result, Sample, Scenario, Settings } from './scenario.js';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One row of the table, and one entry of the JSON. */
export interface Comparison {
  /** The result's name, in the JSON's words. */
  readonly scenario: string;
  readonly unit: string;
  readonly better: Result['better'];
  /** Null when ours failed, or was not asked for. */
  readonly ours: Spread | null;
  readonly peers: Readonly<Record<string, Spread>>;
  /** Ours divided by the peer's, in the scenario's own unit. */
  readonly ratio: Readonly<Record<string, number>>;
  /** Median of the least code that could do the same. */
  readonly ceiling: number | null;
  /** Ours divided by the ceiling. */
  readonly ofCeiling: number | null;
  /** The same for every number of this entry. */
  readonly settings: Settings;
  readonly rounds: number;
  /** Peers that could not be asked, and why. */
  readonly absent: Readonly<Record<string, string>>;
  /** Peers whose numbers are kept back, and why: other settings than ours. */
  readonly refused: Readonly<Record<string, string>>;
  readonly targets: readonly TargetVerdict[];
}

export interface TargetVerdict {
  readonly against: string;
  readonly wanted: string;
  /** Null when the run was too short to judge by. */
  readonly isMet: boolean | null;
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
    .map((result) => compareResult(scenario, result, measured));
}

function compareResult(
  scenario: Scenario,
  result: Result,
  { samples, absent, rounds, isJudged }: Measured,
): Comparison {
  const ordered = [samples.get('millrace') ?? [], ...samples.values()];
  const reference = ordered.find((taken) => taken.length > 0) ?? [];
  const settings = reference[0]?.settings ?? {};
  const refused: Record<string, string> = {};
  const spreads: Record<string, Spread> = {};
  for (const [subject, taken] of samples) {
    const problem = settingsProblem(settings, taken, rounds);
    const values = taken.flatMap(({ values }) => values[result.name] ?? []);
    // Not everyone gives every result; who failed in every round gives none.
    if (values.length === 0 && taken.length > 0) continue;
    if (problem !== undefined) refused[subject] = problem;
    else spreads[subject] = spreadOf(values);
  }
  const { millrace: ours = null, ceiling = null, ...peers } = spreads;
  // Beside a peer that has none of it (no early delivery, say) there is no ratio.
  const some = Object.fromEntries(Object.entries(peers).filter(([, { median }]) => median !== 0));
  const ratio = ours === null ? {} : mapValues(some, ({ median }) => round(ours.median / median));
  const ofCeiling = ours === null || ceiling === null ? null : round(ours.median / ceiling.median);
  return {
    scenario: result.name,
    unit: result.unit,
    better: result.better,
    ours,
    peers,
    ratio,
    ceiling: ceiling?.median ?? null,
    ofCeiling,
    settings,
    rounds,
    absent: Object.fromEntries(Object.entries(absent).filter(([subject]) => subject in scenario.subjects)),
    refused,
    targets: verdicts(result, { ...ratio, ...(ofCeiling === null ? {} : { ceiling: ofCeiling }) }, ours).map(
      (verdict) => (isJudged ? verdict : { ...verdict, isMet: null }),
    ),
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

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
  return { median: round(median), min: round(sorted[0] ?? 0), max: round(sorted.at(-1) ?? 0) };
}

function verdicts(result: Result, ratios: Readonly<Record<string, number>>, ours: Spread | null): TargetVerdict[] {
  return Object.entries(result.targets ?? {}).flatMap(([against, target]) => {
    const value = against === 'ours' ? ours?.median : ratios[against];
    if (value === undefined) return [];
    return 'atLeast' in target
      ? [{ against, wanted: `≥ ${target.atLeast}`, isMet: value >= target.atLeast }]
      : [{ against, wanted: `≤ ${target.atMost}`, isMet: value <= target.atMost }];
  });
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}

/** Four significant digits: more would claim a precision that is not there. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}
