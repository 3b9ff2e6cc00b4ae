import { parseArgs } from 'node:util';
import type { Servers } from './model/fault-plan.js';

/** What the command line asked for. */
export interface ChaosOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly servers: Servers;
  /** Messages a second, half of them to the log and half to the queues. */
  readonly rate: number;
  /** Where the result goes as JSON. */
  readonly jsonPath: string | undefined;
  readonly keepsJournals: boolean;
  readonly wantsHelp: boolean;
}

export const usage = `npm run chaos -- [options]

  --seed <n>       which faults: the same seed draws the same ones. Default 1
  --seconds <n>    how long faults are done, 5 at least. Default 60
  --cluster        a cluster of three masters and three replicas, instead of one server
  --sentinel       a primary with two replicas, watched by three Sentinels, instead of one server
  --rate <n>       messages a second, half of them to the log. Default 200. What is watched for its order, its expiry and its
                   dead letters comes on top
  --json <file>    write the result there
  --keep           keep the journals and what the servers printed, and say where
  --help

Ends with 1 when a promise was broken.`;

/** @throws {Error} with all problems */
export function readOptions(args: readonly string[]): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '60' },
      cluster: { type: 'boolean', default: false },
      sentinel: { type: 'boolean', default: false },
      rate: { type: 'string', default: '200' },
      json: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const problems: string[] = [];
  const whole = (name: 'seed' | 'seconds' | 'rate', min: number, max: number): number => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < min || value > max) {
      problems.push(`--${name} must be a whole number from ${min} to ${max}, got "${values[name]}"`);
    }
    return value;
  };
  if (values.cluster && values.sentinel) problems.push('--cluster and --sentinel are two runs: give one of them');
  const options = {
    seed: whole('seed', 0, 2 ** 32 - 1),
    seconds: whole('seconds', 5, 86_400),
    rate: whole('rate', 4, 100_000),
    servers: values.cluster ? 'cluster' : values.sentinel ? 'sentinel' : 'one',
    jsonPath: values.json,
    keepsJournals: values.keep,
    wantsHelp: values.help,
  } as const;
  if (problems.length > 0) throw new Error(`the chaos run cannot start:\n- ${problems.join('\n- ')}`);
  return options;
}
