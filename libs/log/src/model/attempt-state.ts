import type { Settlement } from '@millrace/core';

/**
 * What is decided about one attempt to handle a record.
 *
 *                  outcome
 *     undecided ────────────▶ decided
 *         │                      │
 *       commit                 commit     (with manual commits)
 *         ▼        outcome       ▼
 *     committed ────────────▶ finished
 *
 * `undecided`: its handler has not started, or runs. `committed`: the handler has committed the record and still runs. `decided`: the
 * outcome is known.
 */
export type AttemptState = 'undecided' | 'committed' | 'decided' | 'finished';

/** The state after the handler's outcome is known. */
export function afterOutcome(state: AttemptState): AttemptState {
  return isCommitted(state) ? 'finished' : 'decided';
}

/** The state after the handler has committed the record. */
export function afterCommit(state: AttemptState): AttemptState {
  return hasOutcome(state) ? 'finished' : 'committed';
}

/** Whether the handler has committed the record. */
export function isCommitted(state: AttemptState): boolean {
  return state === 'committed' || state === 'finished';
}

/** Whether the handler's outcome is known. */
export function hasOutcome(state: AttemptState): boolean {
  return state === 'decided' || state === 'finished';
}

/**
 * What a worker does with a record that its handler has not committed, after an attempt:
 *
 * - `complete`: its offset counts as done
 * - `await-commit`: its handler commits it, perhaps after it has returned
 * - `retry`, `dead-letter`: as the retry policy says
 * - `hand-over`: the next owner handles it; this is not its fault
 * - `count-return`: it ended without an outcome; the number of times is limited
 */
export type RecordStep =
  | { readonly kind: 'complete' | 'await-commit' | 'hand-over' | 'count-return' }
  | Extract<Settlement, { readonly kind: 'retry' | 'dead-letter' }>;

/** @param isLeaving whether its owner gives the partition up */
export function stepAfter(
  settlement: Settlement,
  { isManual, isLeaving }: { readonly isManual: boolean; readonly isLeaving: boolean },
): RecordStep {
  switch (settlement.kind) {
    case 'complete':
      return { kind: isManual ? 'await-commit' : 'complete' };
    case 'drop':
      return { kind: 'complete' };
    case 'release':
      return { kind: isLeaving ? 'hand-over' : 'count-return' };
    case 'retry':
    case 'dead-letter':
      return settlement;
    default:
      return settlement satisfies never;
  }
}
