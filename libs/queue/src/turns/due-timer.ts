import { startTimer, stopTimer, type Timer } from '@millrace/core';

/** When delayed messages of a slot must be made ready, if this consumer is to do it. */
export class DueTimer {
  readonly #whenDue: () => void;
  #timer: Timer | undefined;
  /** The next turn moves due messages. */
  isDue = false;

  constructor(whenDue: () => void) {
    this.#whenDue = () => {
      this.isDue = true;
      whenDue();
    };
  }

  /** @param dueInMs undefined: another consumer does it, or nothing is delayed */
  set(dueInMs: number | undefined): void {
    stopTimer(this.#timer);
    if (dueInMs === 0) this.isDue = true;
    else if (dueInMs !== undefined) this.#timer = startTimer(this.#whenDue, dueInMs);
  }

  end(): void {
    stopTimer(this.#timer);
  }
}
