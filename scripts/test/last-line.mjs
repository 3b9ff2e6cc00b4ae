import { Sum } from './sum.mjs';

/**
 * Runs `work`, prints its sum alone on the last line, and ends the process with a matching code. A failed set-up ends the process, which
 * counts as a result too.
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
