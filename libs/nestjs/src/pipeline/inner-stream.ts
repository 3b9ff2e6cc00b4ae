import { AsyncResource } from 'node:async_hooks';
import { isThenable } from '@millrace/core';
import { isObservable, Observable, type Subscriber, type Subscription } from 'rxjs';

/**
 * The result of `next.handle()`: runs everything inside an interceptor, once per subscriber. An interceptor may call handle() within an
 * AsyncLocalStorage and be subscribed outside of it, so the work keeps the scope of the call.
 */
export class InnerStream extends Observable<unknown> {
  readonly #scope = new AsyncResource('MillraceHandler');
  readonly #work: () => unknown;

  constructor(work: () => unknown) {
    super((subscriber) => this.#scope.runInAsyncScope(feed, undefined, subscriber, this.#work));
    this.#work = work;
  }

  /** The value that a subscriber would get, without a subscription: for an interceptor that returns its input unchanged. */
  run(): unknown {
    return this.#scope.runInAsyncScope(this.#work);
  }
}

/** Emits the result of `work` to a subscriber: a value, a promise, an observable, or a promise of one. */
function feed(subscriber: Subscriber<unknown>, work: () => unknown): (() => void) | Subscription | undefined {
  try {
    const answer = work();
    if (isThenable(answer)) return feedLater(subscriber, answer);
    if (isObservable(answer)) return answer.subscribe(subscriber);
    subscriber.next(answer);
    subscriber.complete();
  } catch (error) {
    subscriber.error(error);
  }
  return undefined;
}

function feedLater(subscriber: Subscriber<unknown>, answer: PromiseLike<unknown>): () => void {
  let inner: Subscription | undefined;
  const give = (settled: unknown): void => {
    if (subscriber.closed) return;
    if (isObservable(settled)) {
      inner = settled.subscribe(subscriber);
      return;
    }
    subscriber.next(settled);
    subscriber.complete();
  };
  Promise.resolve(answer).then(give, (error: unknown) => subscriber.error(error));
  return () => inner?.unsubscribe();
}
