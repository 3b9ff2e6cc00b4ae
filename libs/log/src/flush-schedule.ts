interface Flushable {
  flush(): void;
}

/** Flushes what was begun: at the end of the present turn of the event loop, or after lingering. */
export class FlushSchedule<T extends Flushable> {
  readonly #lingerMs: number;
  readonly #onFlush: (what: T) => void;
  #due = new Set<T>();

  constructor(lingerMs: number, onFlush: (what: T) => void) {
    this.#lingerMs = lingerMs;
    this.#onFlush = onFlush;
  }

  add(what: T): void {
    if (this.#lingerMs > 0) {
      setTimeout(() => this.#flush(what), this.#lingerMs);
      return;
    }
    // One callback for all partitions. After the I/O of this turn, so that callers who were just answered can send again.
    if (this.#due.size === 0) setImmediate(() => this.#flushDue());
    this.#due.add(what);
  }

  #flushDue(): void {
    const due = this.#due;
    this.#due = new Set();
    for (const what of due) this.#flush(what);
  }

  #flush(what: T): void {
    this.#onFlush(what);
    what.flush();
  }
}
