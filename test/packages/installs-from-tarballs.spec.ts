import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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

it('packs every lib so that it installs in an empty folder, runs no script there, and can be imported and required, with types, sources and licence', async () => {
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
  const script = `const require = process.getBuiltinModule('node:module').createRequire(process.cwd() + '/');
  for (const name of ${JSON.stringify(names)}) {
    const [imported, required] = [await import(name), require(name)].map((module) => Object.keys(module).sort());
    if (imported.length === 0) throw new Error(name + ' exports nothing');
    if (String(imported) !== String(required)) throw new Error(name + ' exports something else to require');
    console.log(name);
  }`;
  const { stdout } = await run('node', ['--input-type=module', '--eval', script], { cwd: folder });
  expect(stdout.trim().split('\n')).toEqual(names);
  for (const lib of libs) await expectWhole(lib);
  expect(await withInstallScript()).toEqual([]);
  // and msgpack is what an application installs
  const pack = `import('@millrace/core').then(({ msgpackCodec }) => msgpackCodec.encode(1)).catch((e) => console.log(e.message))`;
  const { stdout: why } = await run('node', ['--eval', pack], { cwd: folder });
  expect(why).toBe('msgpackr is not installed. For msgpack install the package msgpackr: npm install msgpackr.\n');
}, 120_000);

/** What a user looks for in an installed package, and what a registry shows of it. */
async function expectWhole(lib: string): Promise<void> {
  const installed = join(folder, 'node_modules/@millrace', lib);
  expect((await readdir(installed)).sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
  const textOf = (file: string) => readFile(join(installed, file), 'utf8');
  expect(await textOf('LICENSE')).toBe(await readFile(join(root, 'LICENSE'), 'utf8'));
  expect(await textOf('README.md')).toMatch(new RegExp(`^# @millrace/${lib}\n`));
  const manifest = JSON.parse(await textOf('package.json'));
  const repository = { type: 'git', url: 'git+https://github.com/millrace/millrace.git', directory: `libs/${lib}` };
  expect(manifest).toMatchObject({
    repository,
    license: 'MIT',
    sideEffects: false,
    publishConfig: { access: 'public' },
  });
  expect([typeof manifest.homepage, typeof manifest.bugs]).toEqual(['string', 'string']);
  expect(manifest.keywords).toContain('millrace');
  const files = await readdir(join(installed, 'dist'), { recursive: true });
  expect(files).toEqual(expect.arrayContaining(['index.d.ts', 'cjs/index.d.ts', 'cjs/package.json']));
  expect(files.filter((file) => /\.spec\.|tsbuildinfo/.test(file))).toEqual([]);
  // Sources are not in the package: the maps carry them.
  for (const map of ['dist/index.js.map', 'dist/cjs/index.js.map']) {
    const { sources, sourcesContent } = JSON.parse(await textOf(map));
    const [source] = sources;
    expect(join(installed, map, '..', source)).toBe(join(installed, 'src/index.ts'));
    expect(sourcesContent).toEqual([await readFile(join(root, 'libs', lib, 'src/index.ts'), 'utf8')]);
  }
}

/** Packages that run a script when they are installed. */
async function withInstallScript(): Promise<string[]> {
  const lock = JSON.parse(await readFile(join(folder, 'node_modules/.package-lock.json'), 'utf8'));
  const packages = Object.entries<{ readonly hasInstallScript?: boolean }>(lock.packages);
  return packages.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path);
}
