import type { ArgumentsHost } from '@nestjs/common';
import { BaseRpcExceptionFilter } from '@nestjs/microservices';
import { type Observable, throwError } from 'rxjs';
import { MillraceContext } from './rpc-context.js';

let isInPlace = false;

/**
 * Nest's last exception filter turns every error of an event handler into "Internal server error", which is right for a reply to a client
 * and useless for a retry policy. For events of this transport only, the error is left as it is. Filters of the application run before,
 * as usual.
 */
export function keepOriginalErrorsOfEvents(): void {
  if (isInPlace) return;
  isInPlace = true;
  const { catch: mask } = BaseRpcExceptionFilter.prototype;
  BaseRpcExceptionFilter.prototype.catch = function keepOrMask(error: unknown, host: ArgumentsHost): Observable<never> {
    const context: unknown = host.getArgByIndex(1);
    if (context instanceof MillraceContext && context.isEvent) return throwError(() => error);
    return mask.call(this, error, host) as Observable<never>;
  };
}
