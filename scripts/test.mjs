// `npm test [-- jest's arguments]`: set-up, then Jest. The last line is `N passed, N failed`, whatever happened.
import { relative } from 'node:path';
import { setup } from './setup.mjs';
import { runJest } from './test/jest-run.mjs';

let isCounted = false;
// A set-up that fails ends the process: that too is a result.
process.once('exit', () => isCounted || console.log('0 passed, 1 failed'));
setup(['redis', 'packages', 'build']);

/** More failing files than this are no matter of a busy machine. */
const maxSecondLooks = 6;

const first = await runJest(process.argv.slice(2));
const failing = (first.files ?? []).filter((file) => file.failed > 0);
const second = failing.length > 0 && failing.length <= maxSecondLooks ? await lookAgain(failing) : undefined;

const files = (first.files ?? []).map((file) => second?.files?.find(({ name }) => name === file.name) ?? file);
const isStuck = first.isStuck || second?.isStuck === true;
if (isStuck)
  console.error('A test left something open: Jest had its results and did not end. Look with --detectOpenHandles.');
const passed = files.reduce((sum, file) => sum + file.passed, 0);
const failed =
  files.reduce((sum, file) => sum + file.failed, 0) + (isStuck ? 1 : 0) + (first.files === undefined ? 1 : 0);
isCounted = true;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && files.length > 0 ? 0 : 1;

/**
 * Real servers and processes on a machine that is busy with other things miss a deadline now and then. What fails among
 * the others is run once more, alone; what passes then is named here as unsteady, and what fails then has failed.
 */
async function lookAgain(failingFiles) {
  const names = failingFiles.map(({ name }) => name);
  console.error(`\nRunning again, alone: ${names.map((name) => relative(process.cwd(), name)).join(', ')}`);
  const again = await runJest(['--runInBand', '--runTestsByPath', ...names]);
  for (const { name, failed: stillFailed } of again.files ?? []) {
    if (stillFailed === 0)
      console.error(`Unsteady: ${relative(process.cwd(), name)} failed among the others and passed alone.`);
  }
  return again;
}
