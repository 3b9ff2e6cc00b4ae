/** Runs calls of one look with a limit on how many are under way; a call that fails is reported and left out. */
export class Lane {
  readonly #limit: number;
  readonly #onFailure: (what: string) => void;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limit: number, onFailure: (what: string) => void) {
    this.#limit = limit;
    this.#onFailure = onFailure;
  }

  async all<T, R>(
    items: readonly T[],
    call: (item: T) => Promise<R | undefined>,
    describe: (item: T) => string,
  ): Promise<R[]> {
    const results = await Promise.all(items.map((item) => this.#one(item, call, describe)));
    return results.filter((result): result is Awaited<R> & {} => result !== undefined);
  }

  async #one<T, R>(item: T, call: (item: T) => Promise<R>, describe: (item: T) => string): Promise<R | undefined> {
    while (this.#running >= this.#limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running++;
    try {
      return await call(item);
    } catch (error) {
      this.#onFailure(`${describe(item)}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }
}
