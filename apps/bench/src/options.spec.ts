import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readOptions } from './options.js';
import type { Scenario } from './scenario.js';

const all: readonly Scenario[] = ['queue.process.1', 'queue.process.10', 'log.consume'].map((name) => ({
  name,
  what: '',
  results: [{ name, unit: 'messages/s', better: 'more' }],
  subjects: { millrace: () => Promise.reject(new Error('not measured here')) },
}));

function chosen(only: string): string[] {
  return readOptions(['--only', only], all).scenarios.map(({ name }) => name);
}

describe('--only', () => {
  it('takes whole names and first parts of names', () => {
    expect(chosen('queue.process.1')).toEqual(['queue.process.1']);
    expect(chosen('queue.process')).toEqual(['queue.process.1', 'queue.process.10']);
    expect(chosen('log,queue.process.10')).toEqual(['queue.process.10', 'log.consume']);
  });
});

describe('--rounds', () => {
  it.each([
    { args: [], rounds: 5 },
    { args: ['--quick'], rounds: 3 },
    { args: ['--quick', '--rounds', '7'], rounds: 7 },
  ])('of $args is $rounds', ({ args, rounds }) => {
    expect(readOptions(args, all).rounds).toBe(rounds);
  });
});

describe('--against', () => {
  const scenario: Scenario = {
    name: 'against.queue',
    what: '',
    results: [],
    subjects: { millrace: () => Promise.reject() },
  };

  it('wants the root of another checkout that is built', () => {
    const own = fileURLToPath(new URL('../../..', import.meta.url));
    expect(() => readOptions(['--against', own], all, [scenario])).toThrow(/--against: .* is this checkout itself/);
    expect(() => readOptions(['--against', tmpdir()], all, [scenario])).toThrow(
      /has no libs\/delivery\/dist\/index\.js; name the root of a checkout, and run "npm run build"/,
    );
  });

  it('has scenarios of its own', () => {
    expect(() => readOptions(['--against', tmpdir(), '--only', 'log.consume'], all, [scenario])).toThrow(
      '--only: there is no "log.consume"',
    );
  });
});

describe('where results go', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-options-'));
    writeFileSync(join(folder, 'file'), 'kept');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is made when it is not there, and what is there stays', () => {
    const file = join(folder, 'file');
    readOptions(['--json', file, '--profile', join(folder, 'profiles')], all);
    readOptions(['--json', join(folder, 'new', 'results.json')], all);
    expect(readFileSync(file, 'utf8')).toBe('kept');
    expect(readdirSync(folder).sort()).toEqual(['file', 'new', 'profiles']);
    expect(readdirSync(join(folder, 'new'))).toEqual([]);
  });

  it('must be writable before anything is measured', () => {
    const inFile = join(folder, 'file', 'inside');
    expect(() => readOptions(['--json', inFile, '--profile', inFile], all)).toThrow(/--json: .*\n- --profile: /);
    expect(() => readOptions(['--json', folder], all)).toThrow(/--json: .*EISDIR/);
  });
});

describe('wrong options', () => {
  it('include those that choose nothing', () => {
    expect(() => readOptions(['--only', ',', '--subjects', ''], all)).toThrow(/--only: it names nothing\n.*no subject/);
    const log: Scenario = { name: 'log', what: '', results: [], subjects: { kafka: () => Promise.reject() } };
    expect(() => readOptions(['--only', 'queue', '--subjects', 'kafka'], [...all, log])).toThrow(
      'none of the chosen scenarios has kafka',
    );
  });

  it('are reported together', () => {
    const wrong = () => readOptions(['--only', 'log.consum', '--rounds', '2', '--durability', 'some'], all);
    expect(wrong).toThrow(
      /--durability must be one of[\s\S]*at least 3[\s\S]*no "log\.consum" \(did you mean "log\.consume"\?\)/,
    );
  });
});
