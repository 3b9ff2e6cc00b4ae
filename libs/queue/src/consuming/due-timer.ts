/** Node's timers wrap around beyond 2^31 ms. */
const maxTimerMs = 2 ** 31 - 1;

/** When delayed messages of a slot are to be made ready, as far as this consumer is to do it. */
export class DueTimer {
  readonly #whenDue: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** The next turn makes ready what is due. */
  isDue = false;

  constructor(whenDue: () => void) {
    this.#whenDue = () => {
      this.isDue = true;
      whenDue();
    };
  }

  /** @param dueInMs undefined: somebody else sees to it, or nothing is delayed */
  set(dueInMs: number | undefined): void {
    clearTimeout(this.#timer);
    if (dueInMs === 0) this.isDue = true;
    else if (dueInMs !== undefined) this.#timer = setTimeout(this.#whenDue, Math.min(dueInMs, maxTimerMs));
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
