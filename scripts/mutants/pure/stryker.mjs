import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { installPackages } from '../../setup/packages.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Puts each fault that Stryker knows into each of `files`, one at a time in a copy. Resolves to Stryker's results, a list. */
export async function tryFaults(root, files) {
  const Stryker = await provideStryker(root);
  const tempDirName = mkdtempSync(join(tmpdir(), 'millrace-mutants-'));
  process.on('exit', () => rmSync(tempDirName, { recursive: true, force: true }));
  process.chdir(root);
  // Random input is the same for every fault: whether one is caught must not depend on chance.
  process.env.MILLRACE_FUZZ_SEED ??= '204117';
  const stryker = new Stryker({
    mutate: files,
    plugins: [join(here, 'spec-runner.mjs')],
    testRunner: 'specs-of-pure-code',
    coverageAnalysis: 'perTest',
    concurrency: Math.min(availableParallelism(), 4),
    timeoutMS: 2000,
    reporters: ['progress-append-only'],
    logLevel: 'warn',
    checkers: [],
    disableTypeChecks: false,
    ignorePatterns: ['/apps', '/deploy', '/docs', '/.millrace', 'tsconfig*.json'],
    tempDirName,
  });
  return stryker.runMutationTest();
}

/** Installed on first use, not with the other packages, since only this command uses it. */
async function provideStryker(root) {
  const folder = join(root, '.millrace/stryker');
  mkdirSync(folder, { recursive: true });
  for (const name of ['package.json', 'package-lock.json'])
    copyFileSync(join(here, '../stryker', name), join(folder, name));
  installPackages(folder, () => console.log('Installing Stryker (npm ci).'));
  const { default: Stryker } = await import(
    pathToFileURL(join(folder, 'node_modules/@stryker-mutator/core/dist/src/index.js')).href
  );
  return Stryker;
}
