import { parseArgs } from 'node:util';
import { didYouMean } from '@millrace/core';
import type { Scenario } from './scenario.js';

/** What `npm start -- …` was asked for. */
export type Command =
  | { readonly kind: 'services'; readonly port: number; readonly hasTraffic: boolean }
  | { readonly kind: 'scenario'; readonly scenario: Scenario }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly problem: string };

const defaultPort = 3000;

/** Reads the arguments and `PORT`; what is wrong comes back as one sentence. */
export function readCommand(
  args: readonly string[],
  scenarios: readonly Scenario[],
  { PORT = '' }: { readonly PORT?: string | undefined } = {},
): Command {
  let values: { scenario?: string; help?: boolean; 'no-traffic'?: boolean };
  try {
    const options = {
      scenario: { type: 'string' },
      help: { type: 'boolean' },
      'no-traffic': { type: 'boolean' },
    } as const;
    values = parseArgs({ args: [...args], options }).values;
  } catch (error) {
    const [problem] = String(error instanceof Error ? error.message : error).split('. ');
    return { kind: 'wrong', problem: `${problem}. "npm start -- --help" tells what there is.` };
  }
  if (values.help === true) return { kind: 'help' };
  if (values.scenario === undefined) {
    const port = /^\d{0,5}$/.test(PORT) ? Number(PORT || defaultPort) : Number.NaN;
    if (port <= 65_535) return { kind: 'services', port, hasTraffic: values['no-traffic'] !== true };
    return { kind: 'wrong', problem: `PORT must be a number from 0 (any free port) to 65535, got "${PORT}".` };
  }
  const scenario = scenarios.find(({ name }) => name === values.scenario);
  if (scenario !== undefined) return { kind: 'scenario', scenario };
  const names = scenarios.map(({ name }) => name);
  const guess = didYouMean(values.scenario, names);
  return {
    kind: 'wrong',
    problem: `There is no scenario "${values.scenario}"${guess}. There are ${names.join(', ')}.`,
  };
}
