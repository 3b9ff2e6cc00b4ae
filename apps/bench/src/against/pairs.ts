import { median } from '../statistics.js';

/** What a slice of work cost, per message. */
export interface Cost {
  /** µs by the clock. */
  readonly wall: number;
  /** µs of Redis' processor time. */
  readonly redis: number;
  /** µs of this process' processor time. */
  readonly process: number;
}

/** Two builds that did the same, one directly after the other. */
export interface Pair {
  readonly ours: Cost;
  readonly theirs: Cost;
}

/**
 * Takes pairs of slices, and swaps who is first from pair to pair: a build that always came second would always find the other's garbage. The
 * first pairs are not counted.
 */
export async function takePairs(
  slices: Slices,
  { warmUps, pairs, oursFirst }: { readonly warmUps: number; readonly pairs: number; readonly oursFirst: boolean },
): Promise<Pair[]> {
  const taken: Pair[] = [];
  for (let number = -warmUps; number < pairs; number++) {
    const pair = (number % 2 === 0) === oursFirst ? await oursThenTheirs(slices) : await theirsThenOurs(slices);
    if (number >= 0) taken.push(pair);
  }
  return taken;
}

/** Ours divided by theirs, within each pair, and the median of that: a moment in which the machine was slow is in both. */
export function ratioOf(pairs: readonly Pair[], kind: keyof Cost): number {
  return median(pairs.map(({ ours, theirs }) => ours[kind] / theirs[kind]));
}

interface Slices {
  readonly ours: () => Promise<Cost>;
  readonly theirs: () => Promise<Cost>;
}

async function oursThenTheirs({ ours, theirs }: Slices): Promise<Pair> {
  const first = await ours();
  return { ours: first, theirs: await theirs() };
}

async function theirsThenOurs({ ours, theirs }: Slices): Promise<Pair> {
  const first = await theirs();
  return { ours: await ours(), theirs: first };
}
