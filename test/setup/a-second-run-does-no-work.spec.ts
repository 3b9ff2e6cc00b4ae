import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

/** Installs nothing: leaves behind what npm leaves, and a compiler that leaves what the compiler leaves. */
const npm = `#!${process.execPath}
const { cpSync, mkdirSync, writeFileSync } = require('node:fs');
mkdirSync('node_modules/typescript/bin', { recursive: true });
writeFileSync('node_modules/.package-lock.json', '{"packages":{}}');
cpSync('compiler', 'node_modules/typescript/bin/tsc');
`;
const compiler = `
const { mkdirSync, readFileSync, writeFileSync } = require('node:fs');
if (readFileSync('libs/a/src/index.ts', 'utf8') === 'wrong') { console.log('index.ts(1,1): error'); process.exit(2); }
mkdirSync('libs/a/dist', { recursive: true });
writeFileSync('libs/a/dist/.tsbuildinfo', '');
`;
const files = {
  'package-lock.json': JSON.stringify({ packages: { 'node_modules/x': { version: '1.0.0', integrity: 'i' } } }),
  'tsconfig.base.json': '{}',
  'tsconfig.build.json': JSON.stringify({ references: [{ path: 'libs/a' }] }),
  'libs/a/package.json': '{}',
  'libs/a/tsconfig.json': '{}',
  'libs/a/src/index.ts': 'first',
  'bin/npm': npm,
  compiler,
};

describe('set-up', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'millrace-root-'));
    cpSync('scripts', join(root, 'scripts'), { recursive: true });
    for (const [path, text] of Object.entries(files)) write(path, text);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('installs and builds once, and a second run prints and does nothing', () => {
    expect(setUp()).toEqual({ code: 0, printed: ['Installing packages (npm ci).', 'Building (tsc -b).'] });
    expect(setUp()).toEqual({ code: 0, printed: [] });
  });

  it('builds again when a source has changed, and as long as that fails', () => {
    setUp();
    write('libs/a/src/index.ts', 'wrong');
    for (const _ of ['once', 'again']) {
      expect(setUp()).toMatchObject({ code: 1, printed: expect.arrayContaining(['index.ts(1,1): error']) });
    }
    write('libs/a/src/index.ts', 'second');
    expect(setUp().printed).toEqual(['Building (tsc -b).']);
    write('libs/a/src/new.ts', '');
    expect(setUp().printed).toEqual(['Building (tsc -b).']);
    expect(setUp().printed).toEqual([]);
  });

  it('installs again when the lock file names another package', () => {
    setUp();
    write(
      'package-lock.json',
      JSON.stringify({ packages: { 'node_modules/x': { version: '2.0.0', integrity: 'j' } } }),
    );
    expect(setUp().printed).toContain('Installing packages (npm ci).');
    expect(setUp().printed).toEqual([]);
  });

  it('leaves alone what a developer has installed', () => {
    setUp();
    const lock = JSON.stringify({
      packages: {
        'node_modules/x': { version: '2.0.0', integrity: 'j' },
        'node_modules/for-another-system': { version: '1.0.0', optional: true },
        'node_modules/of-no-use-to-anyone': { version: '1.0.0', extraneous: true },
      },
    });
    write('package-lock.json', lock);
    write(
      'node_modules/.package-lock.json',
      JSON.stringify({ packages: { 'node_modules/x': { version: '2.0.0', integrity: 'j' } } }),
    );
    expect(setUp().printed).not.toContain('Installing packages (npm ci).');
  });

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { mode: 0o755 });
  }

  function setUp(): { code: number | null; printed: string[] } {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/setup.mjs', 'packages', 'build'], {
      cwd: root,
      env: { PATH: join(root, 'bin'), CI: 'true' },
      encoding: 'utf8',
    });
    return { code: status, printed: `${stdout}${stderr}`.split('\n').filter(Boolean) };
  }
});
