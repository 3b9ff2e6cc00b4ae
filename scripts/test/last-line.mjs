import { Sum } from './sum.mjs';

/**
 * Runs `work` and ends the output with its sum, alone on the last line, and the process with a code to match. A set-up that
 * fails ends the process: that too is a result.
 */
export async function endWithSumOf(work) {
  let isPrinted = false;
  process.once('exit', () => isPrinted || console.log('0 passed, 1 failed'));
  const sum = await work(new Sum());
  sum.printNames();
  console.log(String(sum));
  isPrinted = true;
  process.exitCode = sum.isGood ? 0 : 1;
}
