import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

/** How long Jest may take to end after its results: longer means that a test left a handle open. */
const endTimeoutMs = 30_000;

// A signal ends this process, and its end ends Jest.
for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => process.exit(128 + constants.signals[name]));

/**
 * Runs Jest in `cwd`, in an environment with `env` added. Resolves to the result of each test file, `undefined` when Jest produced none,
 * and to whether Jest had to be killed: after its results (`isStuck`), or after `timeoutMs`, with all processes that its tests had
 * started (`isLate`).
 */
export async function runJest(args, { env = {}, cwd = process.cwd(), timeoutMs = Infinity, isQuiet = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  const resultFile = join(folder, 'results.json');
  const isGroup = timeoutMs < Infinity;
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
    // With --json Jest writes for people to stderr, and for machines to stdout.
    {
      stdio: ['ignore', 'ignore', isQuiet ? 'ignore' : 'inherit'],
      cwd,
      env: { ...process.env, ...env },
      detached: isGroup,
    },
  );
  const kill = () => killNow(isGroup ? -jest.pid : jest.pid);
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  // The last handler added is called first, so files that the caller removes at the end are no longer in use.
  process.prependListener('exit', removeFolder).prependListener('exit', kill);
  const end = await endOf(jest, resultFile, timeoutMs, kill);
  process.off('exit', removeFolder).off('exit', kill);
  const files = readFiles(resultFile);
  removeFolder();
  return { files, ...end };
}

/** Resolves when Jest has ended, to whether it had to be killed. */
function endOf(jest, resultFile, timeoutMs, kill) {
  return new Promise((resolve) => {
    const began = performance.now();
    const end = { isStuck: false, isLate: false };
    let resultsAt;
    const watch = setInterval(() => {
      const now = performance.now();
      if (existsSync(resultFile)) resultsAt ??= now;
      end.isStuck = now - (resultsAt ?? now) > endTimeoutMs;
      end.isLate = now - began > timeoutMs;
      if (end.isStuck || end.isLate) kill();
    }, 500);
    jest.on('exit', () => clearInterval(watch));
    jest.on('close', () => resolve(end));
  });
}

/** Ends a process, or a group of them if `pid` is negative; it may have ended already. */
function killNow(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** A test file that could not be loaded counts as one failure. Skipped tests are listed by name. */
function readFiles(resultFile) {
  try {
    return JSON.parse(readFileSync(resultFile, 'utf8')).testResults.map(({ name, status, assertionResults }) => {
      const those = (...wanted) => assertionResults.filter((test) => wanted.includes(test.status));
      const failed = those('failed').length;
      return {
        name,
        isLoaded: assertionResults.length > 0,
        passed: those('passed').length,
        failed: failed === 0 && status === 'failed' ? 1 : failed,
        skipped: those('pending', 'todo', 'disabled').map(({ fullName }) => fullName),
      };
    });
  } catch {
    return undefined;
  }
}
