// `npm test [-- jest's arguments]`: set-up, then Jest. The last line is `N passed, N failed`, whatever happened.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setup } from './setup.mjs';

setup(['redis', 'packages', 'build']);

/** How long Jest may take to end once its results are there: longer means that a test left something open. */
const endTimeoutMs = 30_000;
const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
const resultFile = join(folder, 'results.json');
const jest = spawn(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--no-warnings=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    '--json',
    `--outputFile=${resultFile}`,
    ...process.argv.slice(2),
  ],
  // With --json Jest tells people on stderr, and machines on stdout.
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => jest.kill(signal));

let isStuck = false;
const watch = setInterval(() => {
  if (!existsSync(resultFile)) return;
  clearInterval(watch);
  setTimeout(() => {
    isStuck = true;
    jest.kill('SIGKILL');
  }, endTimeoutMs).unref();
}, 500);

jest.on('close', (code) => {
  clearInterval(watch);
  const { passed, failed } = countResults();
  if (isStuck)
    console.error('A test left something open: Jest had its results and did not end. Run it with --detectOpenHandles.');
  const allFailed = failed + (isStuck ? 1 : 0);
  console.log(`${passed} passed, ${allFailed} failed`);
  process.exitCode = code === 0 && allFailed === 0 ? 0 : 1;
});

/** A test file that could not even be loaded counts as one failure, as does a Jest that did not get to its results. */
function countResults() {
  try {
    const results = JSON.parse(readFileSync(resultFile, 'utf8'));
    return { passed: results.numPassedTests, failed: results.numFailedTests + results.numRuntimeErrorTestSuites };
  } catch {
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
