import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeRoot } from './fake-root.js';

/** A spec that fails in the runs with these numbers, of its own count. */
function failingIn(...runs: readonly number[]): string {
  return `
    const { existsSync, readFileSync, writeFileSync } = require('node:fs');
    test('a', () => {
      const run = existsSync('runs') ? Number(readFileSync('runs', 'utf8')) + 1 : 1;
      writeFileSync('runs', String(run));
      if (${JSON.stringify(runs)}.includes(run)) throw new Error('run ' + run);
    });`;
}

describe('a spec that failed among others runs five times alone', () => {
  let root: FakeRoot;
  beforeEach(() => {
    root = new FakeRoot();
    root.write('steady.spec.cjs', "test('b', () => {});");
  });
  afterEach(() => root.remove());

  it('and when it passes all five it is named as unsteady before the last line', () => {
    root.write('shaky.spec.cjs', failingIn(1));
    const { lines, status } = root.run('scripts/test.mjs', '--cache=false');
    expect(lines.slice(-2)).toEqual([
      '1 unsteady (failed in the full run, passed five times alone): shaky.spec.cjs',
      '2 passed, 0 failed',
    ]);
    expect(status).toBe(0);
  });

  it('and when it fails in one of them it has failed', () => {
    root.write('shaky.spec.cjs', failingIn(1, 5));
    const { lines, errors, status } = root.run('scripts/test.mjs', '--cache=false');
    expect(lines.slice(-2)).toEqual(['0 unsteady', '1 passed, 1 failed']);
    expect(errors).toContain('Failed: shaky.spec.cjs failed in the full run, and alone (4 of 5).');
    expect(status).toBe(1);
  });
});
