import { relative } from 'node:path';
import { runJest } from './jest-run.mjs';
import { Sum } from './sum.mjs';

/** Above this number of failing files, a busy machine is not the reason. */
const maxSecondLooks = 6;
/** How often a spec that failed in the full run must pass alone. */
const looks = 5;

/**
 * Runs the specs that fit Jest's arguments. Real servers and processes on a busy machine sometimes miss a deadline: a file that fails in
 * the full run is repeated five times, alone. If it passes all five, it is reported as unsteady; if one of them fails, it has failed.
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
      console.error(`Failed: ${name} failed in the full run, and alone (${look} of ${looks}).`);
      return sum.add(result);
    }
  }
  sum.add(last);
  return sum.addUnsteady(name);
}

/** The arguments that select tests within a file; those that select files are dropped. */
function kept(args) {
  return args.filter(
    (arg, index) => /^(-t|--testNamePattern)/.test(arg) || /^(-t|--testNamePattern)$/.test(args[index - 1] ?? ''),
  );
}
