import { startTimer, stopTimer } from '@millrace/core';
import { MillraceLogger } from '../module/millrace-logger.js';

/** `app.enableShutdownHooks()` may be called after the start: `createApplicationContext` starts before it returns. */
const graceMs = 1000;

/**
 * Warns, soon after the start of consumers, when nothing would stop them before the process ends. Returns a function after which it does
 * not.
 */
export function warnWithoutShutdownHooks(): () => void {
  const timer = startTimer(() => {
    // Without a listener the signal ends the process immediately.
    if (process.listenerCount('SIGTERM') > 0) return;
    new MillraceLogger().warn(
      'Nothing listens for SIGTERM: a deployment ends this process in the middle of its handlers, and their messages are handled again. ' +
        'Call app.enableShutdownHooks() in main.ts.',
    );
  }, graceMs).unref();
  return () => stopTimer(timer);
}
