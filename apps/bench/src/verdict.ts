import { type Estimate, leastConfidence } from './statistics.js';

/** A bound that a number is held to, itself included. */
export type Target = { readonly atLeast: number } | { readonly atMost: number };

/**
 * - `met`: the median keeps the target.
 * - `met within noise`: the median misses it, by less than its confidence interval is wide. That ends the matter.
 * - `missed`: the whole interval misses it.
 * - `undecided`: too few rounds, windows too short, or rounds that contradict each other.
 */
export type Verdict = 'met' | 'met within noise' | 'missed' | 'undecided';

/** Rounds that differ by more than this factor prove nothing: without it, noise would be a way to meet any target. */
const widestInterval = 1.5;

/** How a run came about, as far as its verdicts depend on it. */
export interface Judging {
  /** Whether windows were long enough to judge by: a quick run measures code that V8 has not compiled yet. */
  readonly isWholeRun: boolean;
}

export function judge(target: Target, value: Estimate, { isWholeRun }: Judging): Verdict {
  if (!isWholeRun || value.confidence < leastConfidence) return 'undecided';
  if (keeps(target, value.median)) return 'met';
  const best = 'atLeast' in target ? value.high : value.low;
  if (!keeps(target, best)) return 'missed';
  return value.high <= value.low * widestInterval ? 'met within noise' : 'undecided';
}

/**
 * Whether an interval is too wide to say anything of its target: half of its width exceeds the target's margin. The margin is how far the median is
 * from the target; of a ratio it is at most what the target leaves from "no difference": 5 % of a target of 1.05, whatever was measured.
 */
export function isWiderThanMargin(
  target: Target,
  value: Estimate,
  { isRatio }: { readonly isRatio: boolean },
): boolean {
  const bound = boundOf(target);
  if (value.low === value.high) return false;
  // Neither has a logarithm: what should be none at all, and is not always.
  if (bound <= 0 || value.low <= 0) return true;
  const margins = [distance(value.median, bound)];
  if (isRatio && bound !== 1) margins.push(distance(bound, 1));
  return distance(value.high, value.low) / 2 > Math.min(...margins);
}

/** As a target stands in the table: `≥ 4`. */
export function showTarget(target: Target): string {
  return 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
}

function keeps(target: Target, value: number): boolean {
  return 'atLeast' in target ? value >= target.atLeast : value <= target.atMost;
}

function boundOf(target: Target): number {
  return 'atLeast' in target ? target.atLeast : target.atMost;
}

/** On the scale on which twice as much is as far as half as much. */
function distance(a: number, b: number): number {
  return Math.abs(Math.log(a / b));
}
