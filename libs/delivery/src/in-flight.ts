import { startTimer, stopTimer, type Timer } from '@millrace/core';

/** Counts the work in flight, bounded by a limit; callers can wait for room or until nothing is in flight. */
export class InFlight {
  #count = 0;
  readonly #limit: number;
  readonly #whenRoom: (() => void)[] = [];
  readonly #whenEmpty: (() => void)[] = [];

  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
  }

  /** The number in flight. */
  get count(): number {
    return this.#count;
  }

  /** How many more may begin; never negative. */
  get room(): number {
    return Math.max(0, this.#limit - this.#count);
  }

  /** Counts one that begins. The caller checks for room first: the limit is not enforced here. */
  begin(): void {
    this.#count++;
  }

  /** Counts one that ended, and resolves the waits for it. */
  end(): void {
    this.#count--;
    if (this.#whenRoom.length > 0 && this.#count < this.#limit) this.#whenRoom.shift()?.();
    if (this.#count === 0 && this.#whenEmpty.length > 0) for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }

  /** Resolves when one more may begin. */
  async hasRoom(): Promise<void> {
    while (this.room === 0) await new Promise<void>((resolve) => this.#whenRoom.push(resolve));
  }

  /** Resolves to true when nothing is in flight, to false when the deadline passes first. */
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
