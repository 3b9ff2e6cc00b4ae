import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { check } from './model/check.js';
import { countFaults, drawFaults } from './model/fault-plan.js';
import { type ChaosOptions, readOptions, usage } from './options.js';
import { run } from './run.js';

const shownViolations = 50;

process.exitCode = await main();

async function main(): Promise<number> {
  let options: ChaosOptions;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  if (options.wantsHelp) {
    console.log(usage);
    return 0;
  }
  return report(options);
}

async function report(options: ChaosOptions): Promise<number> {
  const { seed, seconds, servers, jsonPath, keepsJournals } = options;
  const { evidence, missedFaults, forcedEnds, crashes, journalFolder } = await run(options, (line) =>
    console.error(line),
  );
  const { violations, ...counts } = check(evidence);
  const result = {
    seed,
    seconds,
    servers,
    faults: countFaults(drawFaults(options)),
    ...counts,
    crashes: crashes.length,
    forcedEnds: forcedEnds.length,
    violations: [
      ...violations,
      ...crashes.map((text) => `crashes: ${text}`),
      ...forcedEnds.map((text) => `forcedEnds: ${text}`),
    ].slice(0, shownViolations),
    missedFaults,
  };
  const text = JSON.stringify(result, null, 2);
  if (jsonPath !== undefined) {
    mkdirSync(dirname(jsonPath), { recursive: true });
    writeFileSync(jsonPath, `${text}\n`);
  }
  console.log(text);
  if (keepsJournals) console.error(`the journals are in ${journalFolder}`);
  return result.violations.length === 0 ? 0 : 1;
}
