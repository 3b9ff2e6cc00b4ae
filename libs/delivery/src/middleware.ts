import type { DeliveryContext } from './delivery-context.js';

/** User code that handles one payload. It may throw RetryLater, DeadLetter or Drop; anything else is a failed attempt. */
export type Handler<C extends DeliveryContext> = (payload: unknown, context: C) => unknown;

/**
 * Code around a handler. It must call `next` at most once, and return its result, changed or not. An error that it throws is a failed
 * attempt. If it does not wait for `next`, an error of the handler is ignored and the message counts as handled.
 */
export type Middleware<C extends DeliveryContext> = (context: C, next: () => Promise<unknown>) => Promise<unknown>;

/** Wraps `handler` so that the first middleware is the outermost. Without middleware it is the handler itself. */
export function withMiddleware<C extends DeliveryContext>(
  handler: Handler<C>,
  middleware: readonly Middleware<C>[],
): Handler<C> {
  return middleware.reduceRight<Handler<C>>(
    (inner, outer) => (payload, context) => outer(context, () => settling(inner, payload, context)),
    handler,
  );
}

/** A promise that a middleware may ignore: its rejection does not end the process. */
function settling<C extends DeliveryContext>(handle: Handler<C>, payload: unknown, context: C): Promise<unknown> {
  const settled = withinMiddleware(handle, payload, context);
  settled.catch(ignore);
  return settled;
}

/** `inside-handler.ts` looks for its name in a stack. */
async function withinMiddleware<C extends DeliveryContext>(
  handle: Handler<C>,
  payload: unknown,
  context: C,
): Promise<unknown> {
  return await handle(payload, context);
}

function ignore(): void {}
