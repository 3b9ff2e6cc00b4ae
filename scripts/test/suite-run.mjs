import { relative } from 'node:path';
import { runJest } from './jest-run.mjs';
import { Sum } from './sum.mjs';

/** More failing files than this have nothing to do with a busy machine. */
const maxSecondLooks = 6;
/** How often a spec that failed among the others has to pass alone. */
const looks = 5;

/**
 * Runs the specs that fit Jest's arguments. Real servers and processes on a machine that is busy with other things miss a
 * deadline now and then: what fails among the others runs five times more, alone. What passes all five is unsteady, and named;
 * what fails once of five has failed.
 */
export async function runSuite(args, env = {}) {
  const first = await runJest(args, { env });
  const sum = new Sum();
  if (first.isStuck) sum.addStuck();
  if (first.files === undefined) return sum.addFailure();
  const failing = first.files.filter((file) => file.failed > 0);
  const isLookedAtAgain = failing.length <= maxSecondLooks;
  for (const file of first.files) {
    if (file.failed === 0 || !isLookedAtAgain) sum.add(file);
  }
  if (isLookedAtAgain) for (const file of failing) await lookAgain(file, args, env, sum);
  if (first.files.length === 0) sum.isEmpty = true;
  return sum;
}

async function lookAgain(file, args, env, sum) {
  const name = relative(process.cwd(), file.name);
  let last = file;
  for (let look = 1; look <= looks; look++) {
    console.error(`\nRunning again, alone, ${look} of ${looks}: ${name}`);
    const again = await runJest([...kept(args), '--runInBand', '--runTestsByPath', file.name], { env });
    if (again.isStuck) sum.addStuck();
    const [result] = again.files ?? [];
    if (result === undefined) return sum.add(file);
    last = result;
    if (result.failed > 0) {
      console.error(`Failed: ${name} failed among the others, and alone (${look} of ${looks}).`);
      return sum.add(result);
    }
  }
  sum.add(last);
  return sum.addUnsteady(name);
}

/** Which tests of a file are wanted; which files are is known by now. */
function kept(args) {
  return args.filter(
    (arg, index) => /^(-t|--testNamePattern)/.test(arg) || /^(-t|--testNamePattern)$/.test(args[index - 1] ?? ''),
  );
}
