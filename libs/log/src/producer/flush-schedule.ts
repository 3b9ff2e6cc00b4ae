import { startTimer, stopTimer, type Timer } from '@millrace/core';

interface Flushable {
  flush(): void;
}

/** Flushes open batches at the end of the present turn of the event loop, or after lingering. */
export class FlushSchedule<T extends Flushable> {
  readonly #lingerMs: number;
  readonly #onFlush: (what: T) => void;
  readonly #together: (flush: () => void) => void;
  readonly #lingering = new Set<Timer>();
  #due = new Set<T>();

  /** @param together runs what flushes several */
  constructor(lingerMs: number, onFlush: (what: T) => void, together: (flush: () => void) => void) {
    this.#lingerMs = lingerMs;
    this.#onFlush = onFlush;
    this.#together = together;
  }

  add(what: T): void {
    if (this.#lingerMs > 0) {
      const timer = startTimer(() => {
        this.#lingering.delete(timer);
        this.#flush(what);
      }, this.#lingerMs);
      this.#lingering.add(timer);
      return;
    }
    // One callback for all partitions. After the I/O of this turn, so that callers whose sends have just resolved can send again.
    if (this.#due.size === 0) setImmediate(() => this.#flushDue());
    this.#due.add(what);
  }

  /** Cancels all scheduled flushes. */
  stop(): void {
    for (const timer of this.#lingering) stopTimer(timer);
    this.#lingering.clear();
  }

  #flushDue(): void {
    const due = this.#due;
    this.#due = new Set();
    const flush = (): void => {
      for (const what of due) this.#flush(what);
    };
    if (due.size > 1) this.#together(flush);
    else flush();
  }

  #flush(what: T): void {
    this.#onFlush(what);
    what.flush();
  }
}
