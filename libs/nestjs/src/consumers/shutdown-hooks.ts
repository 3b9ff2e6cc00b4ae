import { startTimer, stopTimer, type Timer } from '@millrace/core';
import { MillraceLogger } from '../module/millrace-logger.js';

/** `app.enableShutdownHooks()` may be called after the start: `createApplicationContext` starts before it returns. */
const graceMs = 1000;

/** Warns, soon after the start, when nothing would stop consumers before the process ends. */
export class ShutdownHooks {
  #timer: Timer | undefined;

  /** Call it when consumers run. */
  check(): void {
    this.#timer ??= startTimer(() => {
      // Without a listener the signal ends the process immediately.
      if (process.listenerCount('SIGTERM') > 0) return;
      new MillraceLogger().warn(
        'Nothing listens for SIGTERM: a deployment ends this process in the middle of its handlers, and their messages are handled again. ' +
          'Call app.enableShutdownHooks() in main.ts.',
      );
    }, graceMs).unref();
  }

  /** No check follows. */
  stop(): void {
    if (this.#timer !== undefined) stopTimer(this.#timer);
  }
}
