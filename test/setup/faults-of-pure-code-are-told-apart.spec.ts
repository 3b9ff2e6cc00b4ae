import { symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeRoot } from './fake-root.js';

/** What Stryker makes of `limit = 2`, `a + b` and a loop: each fault is there, and waits to be activated. */
const instrumented = `
  const context = () => (globalThis as any).__stryker__;
  const isActive = (id: string): boolean => {
    const { hitCount, hitLimit } = context();
    if (context().activeMutant !== id) return false;
    if (hitCount !== undefined && ++context().hitCount > hitLimit) throw new Error('too often');
    return true;
  };
  const cover = (id: string): void => {
    const coverage = (context().mutantCoverage ??= { static: {}, perTest: {} });
    const test = context().currentTestId;
    const of = test === undefined ? coverage.static : (coverage.perTest[test] ??= {});
    of[id] = 1;
  };
  cover('limit');
  export const limit = isActive('limit') ? -2 : 2;
  export function sum(a: number, b: number): number {
    cover('sum');
    return isActive('sum') ? a - b : a + b;
  }
  export function half(a: number): number {
    cover('half');
    let rest = a;
    while (isActive('half') || rest > limit) rest -= 1;
    return isActive('unseen') ? rest : rest;
  }`;

const spec = `
  import { describe, expect, it } from '@jest/globals';
  import { half, limit, sum } from './sums.js';
  describe('sums', () => {
    it.each([[1, 2, 3], [2, 2, 4]])('%d + %d', async (a, b, c) => expect(sum(a, b)).toBe(c));
    const five = sum(2, 3);
    it('knows a sum', () => expect(five).toBe(5));
    it('has a limit', () => expect(limit).toBe(2));
    it('is bounded', () => expect(half(8)).toBe(2));
  });`;

const tries = `
  import { strykerPlugins } from './scripts/mutants/pure/spec-runner.mjs';
  const [{ injectableClass: SpecRunner }] = strykerPlugins;
  const sandboxFileName = 'libs/core/src/sums.ts';
  const start = async () => {
    const runner = new SpecRunner();
    await runner.init();
    return runner;
  };
  const outcome = async (runner, id, options = {}) =>
    (await runner.mutantRun({ activeMutant: { id }, sandboxFileName, reloadEnvironment: false, ...options })).status;
  const dry = await (await start()).dryRun();
  const names = dry.tests.map(({ id }) => id);
  // Another process than that of the dry run tries the faults.
  const runner = await start();
  const outcomes = [
    await outcome(runner, 'sum'),
    await outcome(runner, 'sum', { testFilter: [names[0]] }),
    await outcome(runner, 'sum', { testFilter: names.slice(3) }),
    await outcome(runner, 'sum', { sandboxFileName: 'libs/other/src/model/sums.ts' }),
    await outcome(runner, 'limit'),
    await outcome(runner, 'limit', { reloadEnvironment: true }),
    // What was loaded with a fault does not stay.
    await outcome(runner, 'unseen'),
    await outcome(runner, 'half', { hitLimit: 100 }),
    await outcome(runner, 'unseen'),
  ];
  console.log(JSON.stringify({ names, failed: dry.tests.filter(({ status }) => status !== 0), coverage: dry.mutantCoverage, outcomes }));
`;

// given pure code with a spec beside it, when each fault is put in, then those that a test detects are caught, and no other
describe('faults of pure code', () => {
  let root: FakeRoot;
  beforeEach(() => {
    root = new FakeRoot();
    for (const name of ['expect', '@swc'])
      symlinkSync(resolve('node_modules', name), join(root.path, 'node_modules', name));
    root.write('package.json', '{}');
    root.write(
      'jest.config.js',
      "module.exports = { transform: { ts: ['swc', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }] } };",
    );
    root.write('libs/core/src/sums.ts', instrumented);
    root.write('libs/core/src/sums.spec.ts', spec);
    root.write('try.mjs', tries);
  });
  afterEach(() => root.remove());

  it('are caught by the tests that come by them, and only by those', () => {
    const { lines, errors } = root.run('try.mjs');
    expect(errors).toBe('');
    const { names, failed, coverage, outcomes } = JSON.parse(lines.at(-1) ?? '');
    const file = 'libs/core/src/sums.spec.ts';
    const [load, first, second, , , last] = names;
    expect(names).toEqual([
      `${file} is loaded`,
      ...['1 + 2', '2 + 2', 'knows a sum', 'has a limit', 'is bounded'].map((name) => `${file} sums ${name}`),
    ]);
    expect(failed).toEqual([]);
    expect(coverage).toEqual({
      static: { limit: 1 },
      perTest: { [load]: { sum: 1 }, [first]: { sum: 1 }, [second]: { sum: 1 }, [last]: { half: 1 } },
    });
    expect(outcomes).toEqual([
      'killed',
      'killed',
      'survived',
      'survived',
      'survived',
      'killed',
      'survived',
      'timeout',
      'survived',
    ]);
  });
});
