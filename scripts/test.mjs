// `npm test [-- jest's arguments]`: set-up, then Jest. The last line is `N passed, N failed`, with `, N skipped` if any were.
import { setup } from './setup.mjs';
import { printFreshSeed } from './test/fresh-seed.mjs';
import { endWithSumOf } from './test/last-line.mjs';
import { runSuite } from './test/suite-run.mjs';

await endWithSumOf(() => {
  setup(['redis', 'packages', 'build']);
  return runSuite(process.argv.slice(2), printFreshSeed());
});
