import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type RedisServer, spawnProgram, startRedis } from '@millrace/testing';

const run = promisify(execFile);
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
let folder: string;
let redis: RedisServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-reader-'));
  redis = await startRedis();
});
afterAll(async () => {
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What the README has between a mark and the end of the block below it. */
function blockBelow(readme: string, mark: string): string {
  const start = readme.indexOf(mark);
  const [, block] = /```\w+\n([\s\S]*?)```/.exec(readme.slice(start)) ?? [];
  if (start < 0 || block === undefined) throw new Error(`the README has no block below ${mark}`);
  return block;
}

/** A reader's npm knows nothing of the one that runs this suite, and of the folder which that is at work in. */
function readersEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$|NODE_OPTIONS$)/i.test(name));
  return { ...Object.fromEntries(own), npm_config_prefer_offline: 'true', npm_config_audit: 'false' };
}

it('leads from an empty folder to each kind of handler, followed word for word', async () => {
  // given
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const app = join(folder, 'my-app');
  const [build, ...steps] = blockBelow(readme, '<!-- steps -->').split('\n');
  // What this suite stands on has been built already.
  expect(build).toBe('npm run build');
  const script = steps.join('\n').replaceAll('../my-app', app);
  await run('sh', ['-e', '-c', script], { cwd: root, env: readersEnvironment() });
  const [compile = '', start] = blockBelow(readme, '<!-- then -->').trim().split(' && ');
  expect(start).toMatch(/^REDIS_URL=\S+ node main\.js$/);
  for (const [, mark = '', prints = ''] of readme.matchAll(/(<!-- runs: "(.*)" -->)/g)) {
    // when
    await writeFile(join(app, 'main.ts'), blockBelow(readme, mark));
    await run('sh', ['-c', compile], { cwd: app, env: readersEnvironment() });
    const program = await spawnProgram(join(app, 'main.js'), { cwd: app, env: { REDIS_URL: redis.url } });
    // then
    await program.waitForLine(prints, { timeoutMs: 60_000 });
    await program.kill('SIGTERM');
    await program.stop();
  }
}, 240_000);
