/**
 * Names of the functions under which every handler runs: while it starts, while it is waited for, within middleware, and within
 * the hooks of Nest's transport.
 */
const framesOfHandlers: ReadonlySet<string | null> = new Set([
  'deliverTo',
  'untilHandlerEnds',
  'withinMiddleware',
  'withinHooks',
]);

/**
 * Whether the caller runs inside a handler: it is one, or what one calls and awaits. Read from the stack, which costs nothing
 * while no one asks: why not an AsyncLocalStorage is in docs/decisions/0004-inside-a-handler-is-read-from-the-stack.md.
 * It cannot be seen through a callback of an event or a timer, through an Observable, nor in code that a bundler renamed: there
 * the answer is false.
 */
export function isInsideHandler(): boolean {
  if (!isWaitedFor) return false;
  const { stackTraceLimit, prepareStackTrace } = Error;
  Error.stackTraceLimit = Number.POSITIVE_INFINITY;
  // The frames themselves: in a stack's text, source maps give the frame of a call that is not awaited another name.
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
 * What a stop that waits for handlers resolves with: called inside a handler, which would wait for itself, it is not waited
 * for, and its failure goes to `onError`.
 */
export function waitOutsideHandlers(stopping: Promise<void>, onError: (error: unknown) => void): Promise<void> {
  if (!isInsideHandler()) return stopping;
  stopping.catch(onError);
  return Promise.resolve();
}

/** The same for work that stops several things, one after the other: what it stops, it waits for. */
export function runOutsideHandlers(work: () => Promise<void>, onError: (error: unknown) => void): Promise<void> {
  if (!isInsideHandler()) return work();
  isWaitedFor = false;
  try {
    // What it does after its first await has no handler in its stack: nobody awaits it.
    work().catch(onError);
  } finally {
    isWaitedFor = true;
  }
  return Promise.resolve();
}

/** False while work begins that no handler waits for, although one has called it. */
let isWaitedFor = true;
