// `npm run mutants [-- <text>...]`: inserts one fault at a time into a copy of the repository, and checks that the spec that names the
// promise fails. Without arguments all of test/mutants; else those whose file, promise or spec contains one of the strings. Ends with 1
// when an area catches less than 95 % of its faults, or a fault does not apply any more.
import { availableParallelism } from 'node:os';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMutants } from './mutants/list.mjs';
import { passes } from './mutants/score.mjs';
import { Workspace } from './mutants/workspace.mjs';
import { setup } from './setup.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
setup(['redis', 'packages', 'build']);

const { mutants, problems } = await readMutants(root, process.argv.slice(2));
for (const problem of problems) console.error(problem);
const workspaces = Array.from({ length: Math.min(availableParallelism(), 2) }, () => new Workspace(root));
process.on('exit', () => {
  for (const workspace of workspaces) workspace.remove();
});

const specs = [...new Set(mutants.map(({ spec }) => spec))];
console.log(`${mutants.length} faults, ${specs.length} specs. First the specs without faults: all must pass.`);
const unfit = await failingWithout(specs);
for (const spec of unfit) console.error(`${spec} fails without any fault, so its result for a fault means nothing.`);

const results = [];
const waiting = mutants.filter(({ spec }) => !unfit.includes(spec));
await Promise.all(
  workspaces.map(async (workspace) => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const outcome = await workspace.try(mutant);
      results.push({ mutant, outcome });
      console.log(
        `${outcome.padEnd(8)} ${mutant.promise} (${relative('test/mutants', mutant.listedIn)}, ${mutant.spec})`,
      );
    }
  }),
);

const isWhole = problems.length === 0 && unfit.length === 0;
process.exitCode = passes(results) && isWhole && results.length > 0 ? 0 : 1;

/** The specs that fail on an unchanged copy, run by all workspaces together. */
async function failingWithout(all) {
  const failing = [];
  const left = [...all];
  await Promise.all(
    workspaces.map(async (workspace) => {
      for (let spec = left.shift(); spec !== undefined; spec = left.shift()) {
        if ((await workspace.run(spec)) !== 'passed') failing.push(spec);
      }
    }),
  );
  return failing;
}
