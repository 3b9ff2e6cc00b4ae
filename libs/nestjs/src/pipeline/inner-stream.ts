import { AsyncResource } from 'node:async_hooks';
import { isThenable } from '@millrace/core';
import { isObservable, Observable, type Subscriber, type Subscription } from 'rxjs';

/**
 * What `next.handle()` returns: everything inside of an interceptor, done once for each subscriber. An interceptor may call
 * handle() within an AsyncLocalStorage and have it subscribed to outside of it, so the work takes its own scope along.
 */
export class InnerStream extends Observable<unknown> {
  readonly #scope = new AsyncResource('MillraceHandler');
  readonly #work: () => unknown;

  constructor(work: () => unknown) {
    super((subscriber) => this.#scope.runInAsyncScope(feed, undefined, subscriber, this.#work));
    this.#work = work;
  }

  /** What a subscriber would get, for an interceptor that passes on what it was given: without a subscription. */
  run(): unknown {
    return this.#scope.runInAsyncScope(this.#work);
  }
}

/** Gives a subscriber what `work` returns: a value, a promise, an observable, or a promise of one. */
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
