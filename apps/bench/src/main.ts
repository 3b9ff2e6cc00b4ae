import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { againstScenarios } from './against/scenarios.js';
import type { Comparison } from './comparison.js';
import { type Circumstances, circumstances } from './machine.js';
import { type BenchOptions, readOptions, usage } from './options.js';
import { Progress } from './progress.js';
import { runAll } from './run.js';
import { scenarios } from './scenarios.js';
import { Servers } from './servers.js';
import { missingServers } from './subjects.js';
import { confidenceOf, remarks, table } from './table.js';

process.exitCode = await main();

async function main(): Promise<number> {
  let options: BenchOptions;
  try {
    options = readOptions(process.argv.slice(2), scenarios, againstScenarios);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  if (options.wantsHelp) {
    console.log(usage);
    return 0;
  }
  return measure(options);
}

async function measure(options: BenchOptions): Promise<number> {
  const ending = new AbortController();
  let exitCode = 0;
  const end = (code: number) => {
    exitCode = code;
    // The measurement under way is ended and cleaned up after, then the servers. A second signal does not wait for that.
    ending.abort();
  };
  process.once('SIGINT', () => end(130)).once('SIGTERM', () => end(143));
  const servers = await Servers.find(options.durability);
  const measuredOn = circumstances(servers, options);
  const progress = new Progress();
  for (const [server, why] of Object.entries(missingServers(options, servers))) {
    progress.say(`absent: ${server}: ${why}`);
  }
  let known: readonly Comparison[] = [];
  const onComparisons = (comparisons: readonly Comparison[]) => {
    known = comparisons;
    writeJson(options.jsonPath, comparisons, measuredOn);
  };
  try {
    await runAll(options, servers, progress, onComparisons, ending.signal);
  } finally {
    await servers.stop();
  }
  progress.end();
  console.log(page(known, measuredOn, options, progress.failures));
  if (ending.signal.aborted) return exitCode;
  if (known.length === 0) progress.say('nothing was measured');
  return progress.failures.length === 0 && known.length > 0 ? 0 : 1;
}

function writeJson(path: string | undefined, comparisons: readonly Comparison[], measuredOn: Circumstances): void {
  if (path === undefined) return;
  mkdirSync(dirname(path), { recursive: true });
  const entries = comparisons.map((comparison) => ({ ...comparison, ...measuredOn }));
  writeFileSync(path, `${JSON.stringify(entries, null, 2)}\n`);
}

function page(
  comparisons: readonly Comparison[],
  measuredOn: Circumstances,
  { rounds }: BenchOptions,
  failures: readonly string[],
): string {
  const { machine, node, servers, commit, against } = measuredOn;
  const list = Object.values(servers).join('; ');
  const summary = `medians of ${rounds} alternating rounds, ${confidenceOf(comparisons)} confidence intervals; ${machine}; Node ${node}; ${list}; commit ${commit}${against === undefined ? '' : ` divided by ${against}`}`;
  return [table(comparisons), '', ...remarks(comparisons), ...failures, '', summary].join('\n');
}
