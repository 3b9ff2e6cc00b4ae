import { describe, expect, it } from '@jest/globals';
import { readCommand } from './command.js';
import type { Scenario } from './scenario.js';

const scenario = (name: string): Scenario => ({
  name,
  promise: '',
  load: () => Promise.reject(new Error('not to be played')),
});
const scenarios = [scenario('fanout'), scenario('full')];

describe('the arguments of npm start', () => {
  it.each([
    [[], { kind: 'services', port: 3000, hasTraffic: true }],
    [['--no-traffic'], { kind: 'services', port: 3000, hasTraffic: false }],
    [['--help'], { kind: 'help' }],
    [['--scenario', 'full'], { kind: 'scenario', scenario: scenarios[1] }],
    [['--scenario=fanout'], { kind: 'scenario', scenario: scenarios[0] }],
  ])('%j', (args, command) => {
    expect(readCommand(args, scenarios)).toEqual(command);
  });

  it.each([
    [['--scenario', 'fanuot'], 'There is no scenario "fanuot" (did you mean "fanout"?). There are fanout, full.'],
    [['--scenario', 'unknown'], 'There is no scenario "unknown". There are fanout, full.'],
    [['--scenario'], /argument missing/],
    [['--senario', 'full'], /Unknown option '--senario'\. "npm start -- --help" tells what there is\.$/],
    [['full'], /Unexpected argument 'full'/],
  ])('%j is one clear error', (args, problem) => {
    const matching = typeof problem === 'string' ? problem : expect.stringMatching(problem);
    expect(readCommand(args, scenarios)).toEqual({ kind: 'wrong', problem: matching });
  });

  it.each([
    ['0', 0],
    ['65535', 65_535],
    ['', 3000],
  ])('PORT "%s"', (PORT, port) => {
    expect(readCommand([], scenarios, { PORT })).toMatchObject({ port });
  });

  it.each(['http', '65536', '-1', '3000x'])('PORT "%s" is one clear error', (PORT) => {
    expect(readCommand([], scenarios, { PORT })).toEqual({
      kind: 'wrong',
      problem: `PORT must be a number from 0 (any free port) to 65535, got "${PORT}".`,
    });
  });
});
