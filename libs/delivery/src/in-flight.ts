import { startTimer, stopTimer, type Timer } from '@millrace/core';

/** Counts work that was begun and not ended, bounded by a limit; tells when there is room and when none is left. */
export class InFlight {
  #count = 0;
  readonly #limit: number;
  readonly #whenRoom: (() => void)[] = [];
  readonly #whenEmpty: (() => void)[] = [];

  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
  }

  /** How many have begun and not ended. */
  get count(): number {
    return this.#count;
  }

  /** How many more may begin; never negative. */
  get room(): number {
    return Math.max(0, this.#limit - this.#count);
  }

  /** Counts one that begins. Whoever begins looks for room first: the limit is not enforced here. */
  begin(): void {
    this.#count++;
  }

  /** Counts one that ended, and wakes who waits for that. */
  end(): void {
    this.#count--;
    if (this.#whenRoom.length > 0 && this.#count < this.#limit) this.#whenRoom.shift()?.();
    if (this.#count === 0 && this.#whenEmpty.length > 0) for (const tell of this.#whenEmpty.splice(0)) tell();
  }

  /** Resolves when one more may begin. */
  async hasRoom(): Promise<void> {
    while (this.room === 0) await new Promise<void>((resolve) => this.#whenRoom.push(resolve));
  }

  /** Resolves to true when nothing is in flight, to false when the deadline came first. */
  async drained(deadlineMs: number): Promise<boolean> {
    if (this.#count === 0) return true;
    let timer: Timer | undefined;
    const empty = new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
    const deadline = new Promise<void>((resolve) => {
      timer = startTimer(resolve, deadlineMs);
    });
    await Promise.race([empty, deadline]);
    stopTimer(timer);
    return this.#count === 0;
  }
}
