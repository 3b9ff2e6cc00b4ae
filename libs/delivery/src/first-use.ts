import { endsWithin } from '@millrace/core';

/**
 * Work that must be done before something is used for the first time. The first use starts it, and all uses wait until it
 * ends. When it fails, the uses that waited fail with its error, and the next use starts it again.
 */
export class FirstUse {
  readonly #work: () => Promise<unknown>;
  #underWay: Promise<unknown> | undefined;
  #isDone = false;

  constructor(work: () => Promise<unknown>) {
    this.#work = work;
  }

  /** Whether nothing is left to wait for. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Resolves to whether it was done within `timeoutMs`. Rejects with what the work rejected with. */
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
