/** A median, and how sure it is. */
export interface Estimate {
  readonly median: number;
  /** Confidence interval of the median, both ends included. */
  readonly low: number;
  readonly high: number;
  /** Probability that the interval holds the true median: 0–1. 0.75 with three values, 0.875 with four, at least `leastConfidence` from five on. */
  readonly confidence: number;
}

/** The least confidence that a verdict may rest on. Five values are the fewest that give it: their interval has 0.9375. */
export const leastConfidence = 0.9;

/**
 * The median of values with its distribution-free confidence interval: from the kth smallest value to the kth largest. Nothing is assumed of how
 * the values are spread, only that they are independent: each lies below the true median with probability ½, so how many do is binomial.
 * k is the largest that still gives `leastConfidence`; with fewer than five values none does, and the interval is all of them.
 *
 * @throws {Error} when there are no values
 */
export function estimate(values: readonly number[]): Estimate {
  const sorted = ascending(values);
  let k = 1;
  while (confidenceOf(k + 1, sorted.length) >= leastConfidence) k++;
  return {
    median: middle(sorted),
    low: sorted[k - 1] ?? Number.NaN,
    high: sorted[sorted.length - k] ?? Number.NaN,
    confidence: confidenceOf(k, sorted.length),
  };
}

/** Of an even number of values the mean of the middle two. @throws {Error} when there are no values */
export function median(values: readonly number[]): number {
  return middle(ascending(values));
}

/** The value that the share `p` (0–1) of all values does not exceed: nearest rank. @throws {Error} when there are no values */
export function percentile(values: readonly number[], p: number): number {
  const sorted = ascending(values);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN;
}

/** A value that is twice as large as the others weighs as much as one that is half as large. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** How likely the kth smallest and the kth largest of `count` values have the true median between them: 1 − 2 · P(fewer than k lie below it). */
function confidenceOf(k: number, count: number): number {
  if (2 * k > count) return 0;
  let ways = 1;
  let outside = 0;
  for (let below = 0; below < k; below++) {
    outside += ways;
    ways = (ways * (count - below)) / (below + 1);
  }
  return 1 - (2 * outside) / 2 ** count;
}

function middle(sorted: readonly number[]): number {
  const at = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(at)] ?? Number.NaN) + (sorted[Math.ceil(at)] ?? Number.NaN)) / 2;
}

function ascending(values: readonly number[]): number[] {
  if (values.length === 0) throw new Error('there are no values to take a median or percentile of');
  return [...values].sort((a, b) => a - b);
}
