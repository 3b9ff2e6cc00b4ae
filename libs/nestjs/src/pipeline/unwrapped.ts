import { isThenable } from '@millrace/core';
import { isObservable, type Observable, type Observer } from 'rxjs';
import { InnerStream } from './inner-stream.js';

/** The value of a result of any form. A synchronous one creates no promise. */
export function unwrapped(result: unknown): unknown {
  if (result instanceof InnerStream) return unwrapped(result.run());
  if (isObservable(result)) return lastValue(result);
  return isThenable(result) ? Promise.resolve(result).then(lastOf) : result;
}

function lastOf(settled: unknown): unknown {
  return isObservable(settled) ? lastValue(settled) : settled;
}

/**
 * As rxjs's `lastValueFrom`, but without a promise for a stream that ends synchronously, as most handlers between interceptors do. A
 * stream that ends without a value (EMPTY) has succeeded.
 */
function lastValue(stream: Observable<unknown>): unknown {
  const last = new Last();
  stream.subscribe(last);
  return last.settled;
}

class Last implements Observer<unknown> {
  #value: unknown;
  #error: unknown;
  #state: 'open' | 'complete' | 'failed' = 'open';
  #settle: (() => void) | undefined;

  next(value: unknown): void {
    this.#value = value;
  }

  error(error: unknown): void {
    this.#error = error;
    this.#state = 'failed';
    this.#settle?.();
  }

  complete(): void {
    this.#state = 'complete';
    this.#settle?.();
  }

  /** @throws the error of the stream */
  get settled(): unknown {
    if (this.#state === 'failed') throw this.#error;
    if (this.#state === 'open') return this.#later();
    return this.#value;
  }

  async #later(): Promise<unknown> {
    await new Promise<void>((resolve) => {
      this.#settle = resolve;
    });
    return this.settled;
  }
}
