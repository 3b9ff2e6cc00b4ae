// Run by .ci/run: set-up, then all suites. The last line is the sum of all of them.
import { setup } from './setup.mjs';
import { printFreshSeed } from './test/fresh-seed.mjs';
import { endWithSumOf } from './test/last-line.mjs';
import { runAllSuites } from './test/suites.mjs';

await endWithSumOf(() => {
  setup(['redis', 'packages', 'build']);
  return runAllSuites(printFreshSeed());
});
