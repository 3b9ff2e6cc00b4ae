import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, spawnProgram, startRedis } from '@millrace/testing';
import { transformFile } from '@swc/core';
import { mailApplication, usesEveryEntry } from './mail-application.js';
import { nest11, nest12 } from './nest-templates.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const own = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$|NODE_OPTIONS$|JEST_)/i.test(name));
const env = { ...Object.fromEntries(own), npm_config_prefer_offline: 'true', NO_COLOR: '1' };
const nest = join(root, 'node_modules/.bin/nest');
const registryProblem = await problemOfRegistry();
const templates = registryProblem === undefined ? describe : describe.skip;

let folder: string;
let tarballs: string[];
let redis: RedisServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-templates-'));
  if (registryProblem !== undefined) return;
  redis = await startRedis();
  const libs = (await readdir(join(root, 'libs'))).map((lib) => join(root, 'libs', lib));
  await run('.', 'npm', 'pack', ...libs);
  tarballs = (await readdir(folder)).map((name) => join(folder, name));
}, 180_000);
afterAll(async () => {
  await redis?.stop();
  await rm(folder, { recursive: true, force: true });
});

templates(named('an application of Nest 11: CommonJS, Jest'), () => {
  beforeAll(() => create('nest-11', nest11, ''), 240_000);

  it('passes its tests, with and without Redis', async () => {
    expect(await run('nest-11', 'node_modules/.bin/jest')).toContain('Tests:       2 passed, 2 total');
  }, 120_000);

  it('runs when tsc has compiled it', async () => {
    await run('nest-11', nest, 'build');
    await runs('nest-11');
  }, 120_000);

  it('runs when SWC has compiled it, with the settings of the SWC builder', async () => {
    for (const name of ['main', 'mails']) {
      const { code } = await transformFile(join(folder, 'nest-11/src', `${name}.ts`), {
        swcrc: false,
        module: { type: 'commonjs' },
        jsc: {
          target: 'es2021',
          parser: { syntax: 'typescript', decorators: true, dynamicImport: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          keepClassNames: true,
        },
      });
      await writeFile(join(folder, 'nest-11/dist', `${name}.js`), code);
    }
    await runs('nest-11');
  }, 120_000);

  it('has the types of every entry, whichever way they are resolved', async () => {
    await writeFile(join(folder, 'nest-11/entries.ts'), usesEveryEntry);
    expect(await run('nest-11', 'node', join(root, 'test/programs/resolves-types.mjs'), 'entries.ts')).toBe(
      ['node10', 'node16', 'nodenext', 'bundler'].map((way) => `${way}: 0 problems\n`).join(''),
    );
  }, 180_000);
});

// Compiled by tsc, such an application runs in the spec that follows the README.
templates(named('an application of Nest 12: ESM, Vitest'), () => {
  beforeAll(() => create('nest-12', nest12, '.js'), 240_000);

  it('passes its tests, with and without Redis', async () => {
    expect(await run('nest-12', 'node_modules/.bin/vitest', 'run')).toMatch(/Tests +2 passed \(2\)/);
  }, 120_000);
});

async function create(app: string, template: typeof nest11, extension: '' | '.js'): Promise<void> {
  await mkdir(join(folder, app, 'src'), { recursive: true });
  for (const [file, text] of Object.entries({ ...template.files, ...mailApplication(extension) }))
    await writeFile(join(folder, app, file), text);
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts'];
  await run(app, 'npm', 'install', ...quiet, ...tarballs, ...template.dependencies);
}

async function runs(app: string): Promise<void> {
  const program = await spawnProgram(join(folder, app, 'dist/main.js'), { env: { REDIS_URL: redis.url } });
  await program.waitForLine('mail to ada@example.org', { timeoutMs: 60_000 });
  await program.kill('SIGTERM');
  await program.stop();
}

/** The output of a program that runs in the application's folder. */
async function run(app: string, command: string, ...args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { cwd: join(folder, app), env });
    return stdout + stderr;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`"${command} ${args.join(' ')}" failed in ${app}:\n${stdout}${stderr}`, { cause: error });
  }
}

/** Why the packages of the templates cannot be installed here; undefined where they can. */
async function problemOfRegistry(): Promise<string | undefined> {
  try {
    const settings = { ...env, npm_config_prefer_offline: 'false' };
    await promisify(execFile)('npm', ['view', 'rxjs', 'version', '--fetch-retries=0'], {
      cwd: tmpdir(),
      env: settings,
    });
    return undefined;
  } catch {
    return 'no package registry replies';
  }
}

function named(name: string): string {
  return registryProblem === undefined ? name : `${name} (${registryProblem})`;
}
