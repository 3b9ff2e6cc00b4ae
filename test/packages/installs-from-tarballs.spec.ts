import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';

const run = promisify(execFile);
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
let folder: string;
let libs: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-packages-'));
  libs = await readdir(join(root, 'libs'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('packs every lib so that it installs in an empty folder and can be imported, with its types', async () => {
  // given
  const workspaces = libs.flatMap((lib) => ['--workspace', `libs/${lib}`]);
  await run('npm', ['pack', '--pack-destination', folder, ...workspaces], { cwd: root });
  const tarballs = (await readdir(folder)).map((name) => join(folder, name));
  expect(tarballs).toHaveLength(libs.length);
  await writeFile(join(folder, 'package.json'), '{ "name": "a-user", "private": true, "type": "module" }');
  // when
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', ...tarballs], {
    cwd: folder,
  });
  // then
  const names = libs.map((lib) => `@millrace/${lib}`);
  const script = `for (const name of ${JSON.stringify(names)}) {
    const count = Object.keys(await import(name)).length;
    if (count === 0) throw new Error(name + ' exports nothing');
    console.log(name);
  }`;
  const { stdout } = await run('node', ['--input-type=module', '--eval', script], { cwd: folder });
  expect(stdout.trim().split('\n')).toEqual(names);
  for (const lib of libs) {
    expect(await readdir(join(folder, 'node_modules/@millrace', lib, 'dist'))).toContain('index.d.ts');
  }
}, 120_000);
