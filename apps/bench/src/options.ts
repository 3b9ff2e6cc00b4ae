import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { didYouMean } from '@millrace/core';
import { checkoutProblem } from './build.js';
import { fileProblem, folderProblem } from './output-paths.js';
import { type Durability, durabilities } from './place.js';
import type { Scenario } from './scenario.js';

/** What the command line asked for. */
export interface BenchOptions {
  /** All scenarios, or those of which a result was named. */
  readonly scenarios: readonly Scenario[];
  /** Only these subjects; default all. */
  readonly subjects: readonly string[] | undefined;
  readonly quick: boolean;
  readonly rounds: number;
  readonly durability: Durability;
  /** Root of another checkout, against whose build this one is measured. Its scenarios are others. */
  readonly against: string | undefined;
  /** Where the results go as JSON. */
  readonly jsonPath: string | undefined;
  /** Where `--cpu-prof` profiles of every measurement go. */
  readonly profileFolder: string | undefined;
  readonly wantsHelp: boolean;
}

export const usage = `npm run bench -- [options]

  --only <name,…>       results or scenarios, also the first part of a name: queue.publish, log
  --subjects <name,…>   only these subjects: millrace, ceiling, bullmq, …
  --quick               short windows and the main peers, on Redis: shows the order of things
  --rounds <n>          at least 3; default 5, the least from which targets are judged, 3 with --quick, 11 with --against
  --against <folder>    measure this build against that of another checkout, in turns in one process
  --durability <d>      none, everysec (default) or always: as Redis' appendfsync
  --json <file>         write the results there
  --profile <folder>    write a CPU profile of every measurement there
  --help`;

/** The least from which anything is reported; what a quick run makes. */
const leastRounds = 3;
/** The least that a target is judged by: `statistics.ts`. */
const judgedRounds = 5;

/** Of two builds: the outer two of eleven do not widen the interval (`statistics.ts`), and a change is worth less than a peer is slower. */
const againstRounds = 11;

/** @throws {Error} with all problems */
export function readOptions(
  args: readonly string[],
  all: readonly Scenario[],
  againstOther: readonly Scenario[] = [],
): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      subjects: { type: 'string' },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      durability: { type: 'string', default: 'everysec' },
      against: { type: 'string' },
      json: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const problems: string[] = [];
  const durability = durabilities.find((known) => known === values.durability);
  if (durability === undefined) problems.push(`--durability must be one of ${durabilities.join(', ')}`);
  const rounds = values.rounds === undefined ? roundsOf(values) : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < leastRounds) {
    problems.push(`--rounds must be a whole number of at least ${leastRounds}`);
  }
  const { against } = values;
  const offered = against === undefined ? all : againstOther;
  const scenarios = chooseScenarios(values.only, offered, problems);
  const subjects = chooseSubjects(values.subjects, offered, problems);
  const checkout = against === undefined ? undefined : checkoutProblem(against);
  if (checkout !== undefined) problems.push(`--against: ${checkout}`);
  if (problems.length === 0 && !scenarios.some((scenario) => hasOneOf(scenario, subjects))) {
    problems.push(`--subjects: none of the chosen scenarios has ${subjects?.join(', ')}`);
  }
  const { json, profile } = values;
  const jsonProblem = json === undefined ? undefined : fileProblem(json);
  if (jsonProblem !== undefined) problems.push(`--json: ${jsonProblem}`);
  const profileProblem = profile === undefined ? undefined : folderProblem(profile);
  if (profileProblem !== undefined) problems.push(`--profile: ${profileProblem}`);
  if (problems.length > 0) throw new Error(`the bench cannot start:\n- ${problems.join('\n- ')}`);
  return {
    scenarios,
    subjects,
    quick: values.quick,
    rounds,
    durability: durability ?? 'everysec',
    against: against === undefined ? undefined : resolve(against),
    jsonPath: json,
    profileFolder: profile,
    wantsHelp: values.help,
  };
}

function roundsOf({ quick, against }: { readonly quick: boolean; readonly against?: string | undefined }): number {
  if (quick) return leastRounds;
  return against === undefined ? judgedRounds : againstRounds;
}

function chooseScenarios(only: string | undefined, all: readonly Scenario[], problems: string[]): readonly Scenario[] {
  if (only === undefined) return all;
  if (list(only).length === 0) problems.push('--only: it names nothing');
  const chosen = new Set<Scenario>();
  for (const wanted of list(only)) {
    const found = all.filter((scenario) => namesOf(scenario).some((name) => isPart(wanted, name)));
    const known = all.flatMap(namesOf);
    if (found.length === 0) problems.push(`--only: there is no "${wanted}"${didYouMean(wanted, known)}`);
    for (const scenario of found) chosen.add(scenario);
  }
  return all.filter((scenario) => chosen.has(scenario));
}

function chooseSubjects(wanted: string | undefined, all: readonly Scenario[], problems: string[]) {
  if (wanted === undefined) return undefined;
  if (list(wanted).length === 0) problems.push('--subjects: it names no subject');
  const known = [...new Set(all.flatMap(({ subjects }) => Object.keys(subjects)))];
  for (const subject of list(wanted)) {
    if (!known.includes(subject)) {
      problems.push(`--subjects: there is no "${subject}"${didYouMean(subject, known)}`);
    }
  }
  return list(wanted);
}

function hasOneOf(scenario: Scenario, subjects: readonly string[] | undefined): boolean {
  return subjects === undefined || subjects.some((subject) => subject in scenario.subjects);
}

function namesOf(scenario: Scenario): string[] {
  return [scenario.name, ...scenario.results.map(({ name }) => name)];
}

/** `queue.publish` chooses `queue.publish.awaited`, `queue.pub` does not. */
function isPart(wanted: string, name: string): boolean {
  return name === wanted || name.startsWith(`${wanted.replace(/\.\*?$/, '')}.`);
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
