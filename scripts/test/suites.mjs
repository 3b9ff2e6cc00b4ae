import { runSuite } from './suite-run.mjs';
import { Sum } from './sum.mjs';

const ofBothHalves = ['test/log', 'test/queue'];

/** The suites that a change must pass, named like their scripts in package.json. */
const suites = [
  { name: 'test', args: [], env: {} },
  { name: 'test:cluster', args: ofBothHalves, env: { MILLRACE_TEST_ON: 'cluster' } },
  { name: 'test:acl', args: ofBothHalves, env: { MILLRACE_TEST_ON: 'acl' } },
];

/** Runs every suite, one after the other, in an environment with `env` added, and prints the result of each. */
export async function runAllSuites(env = {}) {
  const all = new Sum();
  for (const suite of suites) {
    console.log(`npm run ${suite.name}`);
    const began = performance.now();
    const sum = await runSuite(suite.args, { ...env, ...suite.env });
    const minutes = ((performance.now() - began) / 60_000).toFixed(1);
    console.log(`npm run ${suite.name}: ${sum} (${minutes} minutes)`);
    all.addSum(sum);
  }
  return all;
}
