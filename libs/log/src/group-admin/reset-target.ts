import { integerProblem } from '@millrace/core';
import { placeProblem } from '../model/read-range.js';
import type { SeekTarget } from '../reader/seek-target.js';

/** The target: an offset or a place, or a number of records forwards (or, if negative, back) from the group's offset. */
export type ResetTarget = SeekTarget | { readonly shiftBy: number };

/** What is wrong with a target, which may come from untyped code; undefined: nothing. */
export function resetProblem(to: unknown): string | undefined {
  if (typeof to !== 'object' || to === null || !('shiftBy' in to)) return placeProblem('where to go', to);
  return integerProblem('shiftBy', to.shiftBy, { min: Number.MIN_SAFE_INTEGER });
}
