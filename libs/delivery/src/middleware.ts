import type { DeliveryContext } from './delivery-context.js';

/** User code that handles one payload. It may throw RetryLater, DeadLetter or Drop; anything else is a failed attempt. */
export type Handler<C extends DeliveryContext> = (payload: unknown, context: C) => unknown;

/** Code around a handler. It must call `next` at most once and return (or change) what it answers. */
export type Middleware<C extends DeliveryContext> = (context: C, next: () => Promise<unknown>) => Promise<unknown>;

/** Wraps `handler` so that the first middleware is the outermost. Without middleware it is the handler itself. */
export function withMiddleware<C extends DeliveryContext>(
  handler: Handler<C>,
  middleware: readonly Middleware<C>[],
): Handler<C> {
  return middleware.reduceRight<Handler<C>>(
    (inner, outer) => (payload, context) => outer(context, async () => inner(payload, context)),
    handler,
  );
}
