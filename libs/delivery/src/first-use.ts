import { endsWithin } from '@millrace/core';

/**
 * Work that must be done before a first use. The first use starts it, and all uses wait until it ends. If it fails, the waiting uses fail
 * with its error, and the next use starts it again.
 */
export class FirstUse {
  readonly #work: () => Promise<unknown>;
  #underWay: Promise<unknown> | undefined;
  #isDone = false;

  constructor(work: () => Promise<unknown>) {
    this.#work = work;
  }

  /** Whether the work is done. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Resolves to whether the work was done within `timeoutMs`. Rejects with the error of the work. */
  async done(timeoutMs: number): Promise<boolean> {
    if (this.#isDone) return true;
    this.#underWay ??= this.#start();
    return endsWithin(this.#underWay, Math.max(0, timeoutMs));
  }

  async #start(): Promise<void> {
    try {
      await this.#work();
      this.#isDone = true;
    } finally {
      this.#underWay = undefined;
    }
  }
}
