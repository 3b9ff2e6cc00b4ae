import fc from 'fast-check';
import { isWhole } from './proof.js';

const given = process.env.MILLRACE_FUZZ_SEED;
/** `npm test` draws one, prints it, and hands it to all specs of the run. */
const fresh = process.env.MILLRACE_FRESH_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31);

/** One that is the same in each run, and one that no run had before; `MILLRACE_FUZZ_SEED=<number>` alone, where it is given. */
export const fuzzSeeds: readonly number[] = given === undefined ? [204_117, Number(fresh)] : [Number(given)];

/** For the names of specs, so that a failure shows them. */
export const shownSeeds = fuzzSeeds.map((seed) => `MILLRACE_FUZZ_SEED=${seed}`).join(' and ');

/** Values drawn from every seed, `count` in all. */
export function drawn<T>(arbitrary: fc.Arbitrary<T>, count: number): T[] {
  return fuzzSeeds.flatMap((seed) => fc.sample(arbitrary, { seed, numRuns: shareOf(count) }));
}

/**
 * Holds a property against every seed, `count` runs in all, and four times as many in `npm run proof`. Where a run takes seconds,
 * `isShrunk: false` reports a failure as it is: to look for a shorter one would take minutes.
 */
export async function holds<T>(
  property: fc.IAsyncProperty<T> | fc.IProperty<T>,
  count: number,
  { isShrunk = true }: { readonly isShrunk?: boolean } = {},
): Promise<void> {
  const numRuns = shareOf(isWhole ? count * 4 : count);
  for (const seed of fuzzSeeds) await fc.assert(property, { seed, numRuns, endOnFailure: !isShrunk });
}

function shareOf(count: number): number {
  return Math.ceil(count / fuzzSeeds.length);
}
