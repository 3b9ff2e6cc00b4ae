import type { TurnNumber } from '../store/turn.js';

/**
 * The numbers of a consumer's turns. A turn names the one before it if that one's effects are certain; a broken chain starts again
 * with a turn that names none.
 */
export class TurnNumbers {
  #last = 0;
  #isUnbroken = false;

  /** The number of the turn that is sent now. */
  next(): TurnNumber {
    const before = this.#isUnbroken ? this.#last : '';
    this.#last = (this.#last % 999) + 1;
    this.#isUnbroken = true;
    return { own: this.#last, before };
  }

  /** Redis may not have executed the last turn, or may have gone back to an older state. */
  breakOff(): void {
    this.#isUnbroken = false;
  }
}
