/**
 * Where a message stands among those of its queue, as far as that is known: two may have come in the order that Redis chose. The
 * smaller is taken first.
 */
export interface Standing {
  readonly from: number;
  readonly to: number;
  /**
   * With what it comes there, at a moment of the step that is not known: what was taken in this step may have been taken before. What
   * comes with the same comes at the same moment. Undefined when it stands there from the start.
   */
  readonly comesWith: object | undefined;
}

export function exactly(place: number, comesWith?: object): Standing {
  return { from: place, to: place, comesWith };
}

/** Anywhere behind a place, at some time, alone. */
export function behind(place: number): Standing {
  return { from: place + 0.5, to: Number.POSITIVE_INFINITY, comesWith: {} };
}

/** There, or before all others from a moment on: where an offer returns to. */
export function orAtTheHead({ to }: Standing): Standing {
  return { from: Number.NEGATIVE_INFINITY, to, comesWith: {} };
}

/** Whether one certainly stands before the other. */
export function standsBefore(one: Standing, other: Standing): boolean {
  return one.to < other.from;
}

/** Whether `left`, which still stands there, should have been taken before `taken`, which does not. */
export function wasPassedBy(left: Standing, taken: Standing): boolean {
  return standsBefore(left, taken) && (left.comesWith === undefined || left.comesWith === taken.comesWith);
}
