/**
 * Names of the functions in the stack of every handler: while it starts, while it is awaited, within middleware, and within the hooks of
 * Nest's transport.
 */
const framesOfHandlers: ReadonlySet<string | null> = new Set([
  'deliverTo',
  'untilHandlerEnds',
  'withinMiddleware',
  'withinHooks',
]);

/**
 * Whether the caller runs inside a handler: it is one, or a handler calls and awaits it. Read from the stack, which costs nothing until
 * it is called; docs/decisions/0004-inside-a-handler-is-read-from-the-stack.md explains why not AsyncLocalStorage. Returns false within a
 * callback of an event or a timer, within an Observable, and in code that a bundler renamed.
 */
export function isInsideHandler(): boolean {
  if (!isWaitedFor) return false;
  const { stackTraceLimit, prepareStackTrace } = Error;
  Error.stackTraceLimit = Number.POSITIVE_INFINITY;
  // Uses the frames themselves: in the stack's string, source maps rename the frame of a call that is not awaited.
  Error.prepareStackTrace = (_error, frames) => frames.some((frame) => framesOfHandlers.has(frame.getFunctionName()));
  try {
    const stack: unknown = new Error('who calls?').stack;
    return stack === true;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    Error.prepareStackTrace = prepareStackTrace;
  }
}

/**
 * For a stop that waits for handlers: returns its promise. Inside a handler, which would wait for itself, it resolves immediately, and a
 * failure goes to `onError`.
 */
export function waitOutsideHandlers(stopping: Promise<void>, onError: (error: unknown) => void): Promise<void> {
  if (!isInsideHandler()) return stopping;
  stopping.catch(onError);
  return Promise.resolve();
}

/** The same for work that stops several services one after the other: it waits for each of them. */
export function runOutsideHandlers(work: () => Promise<void>, onError: (error: unknown) => void): Promise<void> {
  if (!isInsideHandler()) return work();
  isWaitedFor = false;
  try {
    // After its first await it has no handler in its stack, since no handler awaits it.
    work().catch(onError);
  } finally {
    isWaitedFor = true;
  }
  return Promise.resolve();
}

/** False during the start of work that a handler has called but does not wait for. */
let isWaitedFor = true;
