/**
 * The early end of one read: its caller's signal, `return()`, or the end of the Log it reads. An async generator itself
 * executes `return()` only after the pending `next()`, which at a log's end waits for a record.
 */
export class ReadingEnd {
  readonly #controller = new AbortController();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly come = (): void => this.#controller.abort();

  /** Also ends with the abort of `signal`, until the returned function is called. */
  follow(signal: AbortSignal | undefined): () => void {
    if (signal?.aborted) this.come();
    signal?.addEventListener('abort', this.come, { once: true });
    return () => signal?.removeEventListener('abort', this.come);
  }

  /** Makes `return()` of a generator trigger this end. */
  closing<T>(batches: AsyncGenerator<T, void, void>): AsyncGenerator<T, void, void> {
    const finish = batches.return.bind(batches);
    batches.return = (value) => {
      this.come();
      return finish(value);
    };
    return batches;
  }
}
