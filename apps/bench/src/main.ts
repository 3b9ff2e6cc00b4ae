import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { circumstances } from './machine.js';
import { type BenchOptions, readOptions, usage } from './options.js';
import { Progress } from './progress.js';
import { runAll } from './run.js';
import { scenarios } from './scenarios.js';
import { Servers } from './servers.js';
import { remarks, table } from './table.js';

process.exitCode = await main();

async function main(): Promise<number> {
  let options: BenchOptions;
  try {
    options = readOptions(process.argv.slice(2), scenarios);
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
  const servers = await Servers.find(options.durability);
  const stopAndLeave = () => void servers.stop().then(() => process.exit(130));
  process.once('SIGINT', stopAndLeave).once('SIGTERM', stopAndLeave);
  const progress = new Progress();
  const measuredOn = circumstances(servers, options);
  try {
    const comparisons = await runAll(options, servers, progress);
    progress.end();
    if (options.jsonPath !== undefined) {
      mkdirSync(dirname(options.jsonPath), { recursive: true });
      const entries = comparisons.map((comparison) => ({ ...comparison, ...measuredOn }));
      writeFileSync(options.jsonPath, `${JSON.stringify(entries, null, 2)}\n`);
    }
    console.log([table(comparisons), '', ...remarks(comparisons), '', summary(measuredOn, options)].join('\n'));
    return progress.failures === 0 ? 0 : 1;
  } finally {
    await servers.stop();
  }
}

function summary(
  { machine, node, servers, commit }: ReturnType<typeof circumstances>,
  { rounds }: BenchOptions,
): string {
  const list = Object.values(servers).join('; ');
  return `medians of ${rounds} alternating rounds; ${machine}; Node ${node}; ${list}; commit ${commit}`;
}
