/** Lets at most so many handlers run at once; for clients that hand over all that they have fetched. */
export class HandlerGate {
  readonly #concurrency: number;
  readonly #waiting: (() => void | Promise<void>)[] = [];
  #running = 0;

  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** Runs it now, or when another has ended. One that returns no promise takes no detour. */
  run(handle: () => void | Promise<void>): void {
    if (this.#running >= this.#concurrency) {
      this.#waiting.push(handle);
      return;
    }
    const pending = handle();
    if (pending === undefined) return;
    this.#running++;
    void pending.finally(() => {
      this.#running--;
      const next = this.#waiting.shift();
      if (next !== undefined) this.run(next);
    });
  }
}
