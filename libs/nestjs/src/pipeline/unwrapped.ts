import { isThenable } from '@millrace/core';
import { isObservable, type Observable, type Observer } from 'rxjs';
import { InnerStream } from './inner-stream.js';

/** The value of a result, whichever way it comes. One that is there immediately makes no promise. */
export function unwrapped(result: unknown): unknown {
  if (result instanceof InnerStream) return unwrapped(result.run());
  if (isObservable(result)) return lastValue(result);
  return isThenable(result) ? Promise.resolve(result).then(lastOf) : result;
}

function lastOf(settled: unknown): unknown {
  return isObservable(settled) ? lastValue(settled) : settled;
}

/**
 * As rxjs's `lastValueFrom`, but a stream that ends synchronously is no promise: most handlers between interceptors do. One that ends
 * without a value (EMPTY) has done its work.
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

  /** @throws what the stream ended with */
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
