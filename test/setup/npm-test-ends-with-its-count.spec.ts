import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

describe('npm test', () => {
  /** A repository of its own, with nothing to install and nothing to build. */
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'millrace-root-'));
    cpSync('scripts', join(root, 'scripts'), { recursive: true });
    mkdirSync(join(root, 'node_modules'));
    symlinkSync(resolve('node_modules/jest'), join(root, 'node_modules/jest'));
    for (const name of ['package-lock.json', 'node_modules/.package-lock.json']) write(name, '{"packages":{}}');
    write('tsconfig.base.json', '{}');
    write('tsconfig.build.json', '{"references":[]}');
    mkdirSync(join(root, 'node_modules/typescript/bin'), { recursive: true });
    write('node_modules/typescript/bin/tsc', '');
    write('jest.config.cjs', 'module.exports = { testMatch: ["**/*.spec.cjs"], transform: {} };');
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it.each([
    ['all pass', "test('a', () => {}); test('b', () => {});", '2 passed, 0 failed', 0],
    ['one fails', "test('a', () => {}); test('b', () => { throw new Error('b'); });", '1 passed, 1 failed', 1],
    ['a file cannot be loaded', 'this is no JavaScript', '0 passed, 1 failed', 1],
  ])('says on its last line, alone, how many passed and failed, when %s', (_, spec, lastLine, code) => {
    write('some.spec.cjs', spec);
    const run = spawnSync(process.execPath, ['scripts/test.mjs', '--cache=false'], { cwd: root, encoding: 'utf8' });
    expect(run.stdout.trimEnd().split('\n').at(-1)).toBe(lastLine);
    expect(run.status).toBe(code);
  });

  it("hands arguments on to Jest, and says Jest's no when no test fits", () => {
    const run = spawnSync(process.execPath, ['scripts/test.mjs', 'no-such-file'], { cwd: root, encoding: 'utf8' });
    expect(run.stderr + run.stdout).toContain('No tests found');
    expect(run.status).toBe(1);
  });

  function write(path: string, text: string): void {
    writeFileSync(join(root, path), text);
  }
});
