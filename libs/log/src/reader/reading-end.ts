/**
 * The early end of one reading: its caller's signal, `return()`, or the end of the Log it reads. An async generator by
 * itself answers `return()` only after the `next()` that it was asked for before, which at a log's end waits for a record.
 */
export class ReadingEnd {
  readonly #controller = new AbortController();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly come = (): void => this.#controller.abort();

  /** Comes with the abort of `signal` too, until what it returns is called. */
  follow(signal: AbortSignal | undefined): () => void {
    if (signal?.aborted) this.come();
    signal?.addEventListener('abort', this.come, { once: true });
    return () => signal?.removeEventListener('abort', this.come);
  }

  /** Lets `return()` of a generator be this end. */
  closing<T>(batches: AsyncGenerator<T, void, void>): AsyncGenerator<T, void, void> {
    const finish = batches.return.bind(batches);
    batches.return = (value) => {
      this.come();
      return finish(value);
    };
    return batches;
  }
}
