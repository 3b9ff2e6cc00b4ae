import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How long Jest may take to end once its results are there: longer means that a test left something open. */
const endTimeoutMs = 30_000;

/**
 * Runs Jest in an environment with `env` added; answers how each test file did, `undefined` when it did not get to its results,
 * and whether it had to be ended.
 */
export async function runJest(args, env = {}) {
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
      ...args,
    ],
    // With --json Jest tells people on stderr, and machines on stdout.
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } },
  );
  const forward = (signal) => jest.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, forward);
  const isStuck = await endOf(jest, resultFile);
  for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, forward);
  const files = readFiles(resultFile);
  rmSync(folder, { recursive: true, force: true });
  return { files, isStuck };
}

/** Resolves when Jest has ended, to whether it had its results and did not end by itself. */
function endOf(jest, resultFile) {
  return new Promise((resolve) => {
    let isStuck = false;
    const watch = setInterval(() => {
      if (!existsSync(resultFile)) return;
      clearInterval(watch);
      setTimeout(() => {
        isStuck = true;
        jest.kill('SIGKILL');
      }, endTimeoutMs).unref();
    }, 500);
    jest.on('close', () => {
      clearInterval(watch);
      resolve(isStuck);
    });
  });
}

/** A test file that could not even be loaded counts as one failure. What is skipped is kept by name. */
function readFiles(resultFile) {
  try {
    return JSON.parse(readFileSync(resultFile, 'utf8')).testResults.map(({ name, status, assertionResults }) => {
      const those = (...wanted) => assertionResults.filter((test) => wanted.includes(test.status));
      const failed = those('failed').length;
      return {
        name,
        passed: those('passed').length,
        failed: failed === 0 && status === 'failed' ? 1 : failed,
        skipped: those('pending', 'todo', 'disabled').map(({ fullName }) => fullName),
      };
    });
  } catch {
    return undefined;
  }
}
