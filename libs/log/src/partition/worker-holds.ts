/**
 * Why a worker starts nothing; it works while there is no reason.
 *
 * - `paused`: by the user
 * - `stuck`: its offset is not in the log; until a seek
 * - `suspended`: its lease may have expired; until Redis confirms it
 * - `draining`, `seeking`, `closed`
 */
export type Hold = 'paused' | 'stuck' | 'suspended' | 'draining' | 'seeking' | 'closed';

/** The reasons why one worker starts nothing. */
export class WorkerHolds {
  readonly #holds = new Set<Hold>();
  readonly #onPut: () => void;
  readonly #onLift: () => void;

  /**
   * @param onPut called whenever a reason is added
   * @param onLift called whenever a reason is gone
   */
  constructor(onPut: () => void, onLift: () => void) {
    this.#onPut = onPut;
    this.#onLift = onLift;
  }

  get isFree(): boolean {
    return this.#holds.size === 0;
  }

  has(hold: Hold): boolean {
    return this.#holds.has(hold);
  }

  put(hold: Hold): void {
    this.#holds.add(hold);
    this.#onPut();
  }

  lift(hold: Hold): void {
    if (this.#holds.delete(hold)) this.#onLift();
  }
}
