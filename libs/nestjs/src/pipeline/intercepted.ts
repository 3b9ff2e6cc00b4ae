import { isThenable } from '@millrace/core';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { isObservable, type Observable } from 'rxjs';
import { InnerStream } from './inner-stream.js';

/**
 * The result of a handler within its interceptors, the first of which is the outermost. An interceptor that forgets to return, in one of
 * its branches maybe, has lost the result of a handler that did not run: its message must not count as handled.
 *
 * @throws {Error} an interceptor returned no Observable, nor a promise of one
 */
export function intercepted(
  interceptors: readonly NestInterceptor[],
  execution: ExecutionContext,
  call: () => unknown,
  index = 0,
): unknown {
  const interceptor = interceptors[index];
  if (interceptor === undefined) return call();
  const inner = (): unknown => intercepted(interceptors, execution, call, index + 1);
  const next: CallHandler = { handle: () => new InnerStream(inner) };
  const returned: unknown = interceptor.intercept(execution, next);
  if (isObservable(returned)) return returned;
  if (!isThenable(returned)) throw noObservable(interceptor, execution, kindOf(returned));
  return Promise.resolve(returned).then((settled): Observable<unknown> => {
    if (isObservable(settled)) return settled;
    throw noObservable(interceptor, execution, `a promise of ${kindOf(settled)}`);
  });
}

function noObservable(interceptor: NestInterceptor, execution: ExecutionContext, returned: string): Error {
  const handler = `${execution.getClass().name}.${execution.getHandler().name}`;
  return new Error(
    `${interceptor.constructor.name}.intercept around ${handler} returned ${returned}, which is no Observable: the result of the ` +
      'handler is lost, and it may not have run. In each branch return next.handle(), or EMPTY to be done without the handler.',
  );
}

/** It may hold what must not be logged: its kind is enough. */
function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
