import { type Comparison, compare } from './comparison.js';
import { take } from './measurement.js';
import type { BenchOptions } from './options.js';
import type { Place } from './place.js';
import { roundOrder } from './round-order.js';
import type { Sample, Scenario } from './scenario.js';
import { serverOf } from './server-kind.js';
import type { Servers } from './servers.js';
import { absentSubjects, presentSubjects } from './subjects.js';

/** Told what happens while a run goes on. */
export interface RunListener {
  /** A measurement begins: the nth of all. */
  onMeasurement(done: number, all: number, scenario: string, subject: string, round: number): void;
  onFailure(scenario: string, subject: string, error: unknown): void;
}

// A cold measurement favours the library with the least code. A quick run saves at both.
const full = { quick: false, warmUpMs: 1500, windowMs: 1000 };
const quick = { quick: true, warmUpMs: 300, windowMs: 250 };

/**
 * Runs all chosen scenarios, one after the other, nothing beside anything else. Tells after each what is known so far: a
 * run that is ended early was not for nothing. It ends early with the signal: the scenario that was under way is not told.
 */
export async function runAll(
  options: BenchOptions,
  servers: Servers,
  listener: RunListener,
  onComparisons: (comparisons: readonly Comparison[]) => void,
  ending: AbortSignal,
): Promise<void> {
  const comparisons: Comparison[] = [];
  const counts = options.scenarios.map((scenario) => presentSubjects(scenario, options, servers).length);
  const all = counts.reduce((sum, count) => sum + count, 0) * options.rounds;
  let done = 0;
  for (const scenario of options.scenarios) {
    const onMeasurement = (subject: string, round: number) =>
      listener.onMeasurement(done++, all, scenario.name, subject, round);
    const found = await runScenario(scenario, options, servers, {
      onStart: onMeasurement,
      onFailure: (subject, error) => listener.onFailure(scenario.name, subject, error),
      ending,
    });
    if (ending.aborted) return;
    comparisons.push(...found);
    onComparisons(comparisons);
  }
}

interface ScenarioListener {
  onStart(subject: string, round: number): void;
  onFailure(subject: string, error: unknown): void;
  readonly ending: AbortSignal;
}

/** Round by round, each subject once per round. */
async function runScenario(
  scenario: Scenario,
  options: BenchOptions,
  servers: Servers,
  listener: ScenarioListener,
): Promise<Comparison[]> {
  const subjects = presentSubjects(scenario, options, servers);
  const samples = new Map<string, Sample[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const subject of roundOrder(subjects, round)) {
      if (listener.ending.aborted) return [];
      listener.onStart(subject, round + 1);
      const server = servers.get(serverOf(subject));
      if ('absent' in server) continue;
      try {
        const place = placeOf(options, round);
        const { profileFolder } = options;
        const { ending } = listener;
        const measurement = { scenario: scenario.name, subject, server, place, profileFolder, ending };
        samples.get(subject)?.push(await take(measurement));
      } catch (error) {
        // What is ended fails, and is no failure.
        if (!listener.ending.aborted) listener.onFailure(subject, error);
      }
    }
  }
  const absent = absentSubjects(scenario, options, servers);
  return compare(scenario, { samples, absent, rounds: options.rounds, isJudged: !options.quick });
}

function placeOf({ quick: isQuick, durability, against }: BenchOptions, round: number): Place {
  return { durability, round, ...(isQuick ? quick : full), ...(against === undefined ? {} : { against }) };
}
