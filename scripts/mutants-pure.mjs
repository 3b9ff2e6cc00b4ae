// `npm run mutants:pure [-- <text>...]`: puts every fault that Stryker knows into pure code (libs/core, every model/), one at a time, and
// checks that the specs beside that code fail. Without arguments for all of it; else for the files whose path contains one of the
// strings. Ends with 1 when a lib catches less than 95 % of its faults, or when test/mutants/pure does not match the code any more.
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import equivalent from '../test/mutants/pure/equivalent.mjs';
import { judge } from './mutants/pure/judge.mjs';
import { pureFiles } from './mutants/pure/pure-files.mjs';
import { tryFaults } from './mutants/pure/stryker.mjs';
import { passes } from './mutants/score.mjs';
import { setup } from './setup.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
setup(['packages']);

const texts = process.argv.slice(2);
const isMeant = (file) => texts.length === 0 || texts.some((text) => file.includes(text));
const files = pureFiles(root).filter(isMeant);
const faults = await tryFaults(root, files);
const { results, problems } = judge(
  root,
  faults,
  equivalent.filter(({ file }) => isMeant(file)),
);
const isWhole = results.length > 0 && problems.length === 0;
process.exitCode = passes(results) && isWhole ? 0 : 1;
for (const problem of problems) console.error(problem);
