import type { Observable, Subscription } from 'rxjs';

/** One reply: a value, or the error that ends the replies. */
export type Reply =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: unknown };

/** An observable's values as an async iterable, to be sent one after the other. A consumer that stops iterating ends the observable. */
export class ReplyStream implements AsyncIterable<Reply> {
  readonly #replies: Reply[] = [];
  #isEnded = false;
  #wake: () => void = () => undefined;
  #subscription: Subscription | undefined;
  #ended: () => void = () => undefined;

  /** Resolves when the observable has ended, or was stopped. */
  follow(source: Observable<unknown>): Promise<void> {
    return new Promise<void>((resolve) => {
      this.#ended = resolve;
      if (this.#isEnded) return resolve();
      this.#subscription = source.subscribe({
        next: (value) => this.#add({ kind: 'value', value }),
        error: (error: unknown) => {
          this.#add({ kind: 'error', error });
          this.stop();
        },
        complete: () => this.stop(),
      });
    });
  }

  fail(error: unknown): void {
    this.#add({ kind: 'error', error });
    this.stop();
  }

  /** Stops the observable. Values that it has emitted stay available. */
  stop(): void {
    this.#isEnded = true;
    this.#subscription?.unsubscribe();
    this.#ended();
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Reply> {
    try {
      for (;;) {
        for (let reply = this.#replies.shift(); reply !== undefined; reply = this.#replies.shift()) yield reply;
        if (this.#isEnded) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      this.stop();
    }
  }

  #add(reply: Reply): void {
    if (this.#isEnded) return;
    this.#replies.push(reply);
    this.#wake();
  }
}
