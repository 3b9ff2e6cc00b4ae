// `npm run proof [-- jest's arguments]`: runs in full the specs that `npm test` shortens: those that import test/proof.ts.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setup } from './setup.mjs';
import { printFreshSeed } from './test/fresh-seed.mjs';
import { endWithSumOf } from './test/last-line.mjs';
import { runSuite } from './test/suite-run.mjs';

const given = process.argv.slice(2);

await endWithSumOf(() => {
  setup(['redis', 'packages', 'build']);
  const args = given.length > 0 ? given : ['--runTestsByPath', ...proofs()];
  return runSuite(['--runInBand', ...args], { ...printFreshSeed(), MILLRACE_PROOF: 'whole' });
});

function proofs() {
  return readdirSync('test', { recursive: true })
    .filter((name) => name.endsWith('.spec.ts'))
    .map((name) => join('test', name))
    .filter((path) => /from '(\.\.?\/)+(proof|fuzz-seed)\.js'/.test(readFileSync(path, 'utf8')));
}
