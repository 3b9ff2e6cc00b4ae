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
