import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from '@jest/globals';

interface MutantList {
  readonly mutants: readonly { readonly area: string; readonly promise: string }[];
  readonly problems: readonly string[];
}

/** Scripts are plain JavaScript, outside of what the compiler looks at. */
async function readMutants(): Promise<MutantList> {
  const list = (await import(pathToFileURL(resolve('scripts/mutants/list.mjs')).href)) as {
    readonly readMutants: (root: string) => Promise<MutantList>;
  };
  return list.readMutants(resolve('.'));
}

// given the list of faults in test/mutants, when the code changes, then each fault can still be put in exactly one place
it('finds the place of each fault, and the spec that has to catch it', async () => {
  const { mutants, problems } = await readMutants();
  expect(problems).toEqual([]);
  expect(mutants.length).toBeGreaterThan(0);
});

it('names each promise once per area', async () => {
  const names = (await readMutants()).mutants.map(({ area, promise }) => `${area}: ${promise}`);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

it('finds the place of each fault of pure code that changes nothing', async () => {
  const { default: equivalent } = (await import(pathToFileURL(resolve('test/mutants/pure/equivalent.mjs')).href)) as {
    readonly default: readonly { readonly file: string; readonly code: string }[];
  };
  const isOnce = ({ file, code }: { readonly file: string; readonly code: string }): boolean =>
    readFileSync(file, 'utf8').split(code).length === 2;
  expect(equivalent.filter((entry) => !isOnce(entry))).toEqual([]);
});
