import { integerProblem } from '@millrace/core';
import { placeProblem } from '../model/read-range.js';
import type { SeekTarget } from './seek-target.js';

/** Where to: an offset or a place, or so many records forwards (or, if negative, back) from where the group is. */
export type ResetTarget = SeekTarget | { readonly shiftBy: number };

/** What is wrong with a target, as it may come from code without types; undefined: nothing. */
export function resetProblem(to: unknown): string | undefined {
  if (typeof to !== 'object' || to === null || !('shiftBy' in to)) return placeProblem('where to go', to);
  return integerProblem('shiftBy', to.shiftBy, { min: Number.MIN_SAFE_INTEGER });
}
