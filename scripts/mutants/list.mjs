import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Reads `test/mutants/*.mjs`: each exports its area and its faults, `{ promise, file, replace, by, spec }`. A fault that no longer
 * applies is a problem, described in a sentence: a fault that cannot be inserted proves nothing.
 */
export async function readMutants(root, texts = []) {
  const folder = join(root, 'test/mutants');
  const mutants = [];
  const problems = [];
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith('.mjs')) continue;
    const { default: list } = await import(pathToFileURL(join(folder, name)).href);
    for (const mutant of list.mutants) {
      const whole = { ...mutant, area: list.area, listedIn: `test/mutants/${name}` };
      const problem = problemOf(root, whole);
      if (problem !== undefined) problems.push(`${whole.listedIn}: "${mutant.promise}" ${problem}`);
      else if (isMeant(whole, texts)) mutants.push(whole);
    }
  }
  return { mutants, problems };
}

function problemOf(root, { file, replace, by, spec }) {
  if (!existsSync(join(root, file))) return `does not apply: there is no ${file}.`;
  if (!existsSync(join(root, spec))) return `names a spec that does not exist: ${spec}.`;
  const places = readFileSync(join(root, file), 'utf8').split(replace).length - 1;
  if (places !== 1) return `does not apply: ${file} has its text ${places} times, wanted once.`;
  return replace === by ? 'changes nothing.' : undefined;
}

function isMeant({ file, promise, spec, area, listedIn }, texts) {
  const all = `${file} ${promise} ${spec} ${area} ${listedIn}`;
  return texts.length === 0 || texts.some((text) => all.includes(text));
}
