import { isThenable } from '@millrace/core';
import type { DeliveryContext } from '@millrace/delivery';
import { isObservable, Observable } from 'rxjs';

/**
 * The result of a handler. An observable, or a promise of one, cannot read the delivery's signal: it is unsubscribed when the signal is
 * aborted, and fails with the signal's reason.
 */
export function cancellable(answer: unknown, context: DeliveryContext): unknown {
  if (isObservable(answer)) return untilAborted(answer, context.signal);
  return isThenable(answer) ? answer.then((settled) => cancellable(settled, context)) : answer;
}

/** The same values, until the signal is aborted. */
export function untilAborted(source: Observable<unknown>, signal: AbortSignal): Observable<unknown> {
  return new Observable((subscriber) => {
    const abort = (): void => subscriber.error(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    subscriber.add(() => signal.removeEventListener('abort', abort));
    subscriber.add(source.subscribe(subscriber));
    return undefined;
  });
}
