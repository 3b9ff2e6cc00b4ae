import { parseArgs } from 'node:util';

/** What the command line asked for. */
export interface FuzzOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly wantsHelp: boolean;
}

export const usage = `npm run fuzz -- [options]

  --seed <n>       what is written into which key: the same seed draws the same. Default: one drawn, which is printed
  --seconds <n>    how long, 5 at least. Default 60
  --help

Ends with 1 when a process ended, stood still, grew, sent commands without end, or did not come back.`;

/** @throws {Error} with all problems */
export function readOptions(args: readonly string[], freshSeed: number): FuzzOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: String(freshSeed) },
      seconds: { type: 'string', default: '60' },
      help: { type: 'boolean', default: false },
    },
  });
  const problems: string[] = [];
  const whole = (name: 'seed' | 'seconds', min: number, max: number): number => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    problems.push(`--${name} must be a whole number from ${min} to ${max}, got "${values[name]}"`);
    return min;
  };
  const options = { seed: whole('seed', 0, 2 ** 32 - 1), seconds: whole('seconds', 5, 86_400), wantsHelp: values.help };
  if (problems.length > 0) throw new Error(`the fuzz run cannot start:\n- ${problems.join('\n- ')}`);
  return options;
}
