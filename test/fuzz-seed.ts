import fc from 'fast-check';
import { isWhole } from './proof.js';

const given = process.env.MILLRACE_FUZZ_SEED;
/** `npm test` draws one, prints it, and hands it to all specs of the run. */
const fresh = process.env.MILLRACE_FRESH_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31);

/** One that is the same in each run, and one that no run had before; `MILLRACE_FUZZ_SEED=<number>` alone, where it is given. */
export const fuzzSeeds: readonly number[] = given === undefined ? [204_117, Number(fresh)] : [Number(given)];

/** Without a fresh one, for what is not yet known to hold for every seed; `MILLRACE_FUZZ_SEED=<number>` where it is given. */
export const settledSeeds: readonly number[] = fuzzSeeds.slice(0, 1);

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
  { isShrunk = true, seeds = fuzzSeeds }: { readonly isShrunk?: boolean; readonly seeds?: readonly number[] } = {},
): Promise<void> {
  const numRuns = Math.ceil((isWhole ? count * 4 : count) / seeds.length);
  for (const seed of seeds) await fc.assert(property, { seed, numRuns, endOnFailure: !isShrunk });
}

function shareOf(count: number): number {
  return Math.ceil(count / fuzzSeeds.length);
}
