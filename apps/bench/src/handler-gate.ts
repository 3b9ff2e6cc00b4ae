/** Limits how many handlers run simultaneously; for clients that pass on everything they have fetched. */
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
