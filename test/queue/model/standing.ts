/**
 * Where a message stands among those of its queue, as far as that is known: two may have come in the order that Redis chose. The
 * smaller is taken first.
 */
export interface Standing {
  readonly from: number;
  readonly to: number;
  /** It came there at a moment of the step that is not known: what was taken in this step may have been taken before. */
  readonly isLate: boolean;
}

export function exactly(place: number, isLate = false): Standing {
  return { from: place, to: place, isLate };
}

/** Anywhere behind a place, at some time. */
export function behind(place: number): Standing {
  return { from: place + 0.5, to: Number.POSITIVE_INFINITY, isLate: true };
}

/** Whether one certainly stands before the other. */
export function standsBefore(one: Standing, other: Standing): boolean {
  return one.to < other.from;
}

/** Whether `left`, which still stands there, should have been taken before `taken`, which does not. */
export function wasPassedBy(left: Standing, taken: Standing): boolean {
  return standsBefore(left, taken) && (!left.isLate || taken.isLate);
}
