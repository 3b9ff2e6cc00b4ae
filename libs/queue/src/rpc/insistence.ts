import { pause } from '@millrace/core';
import { redisFailure } from '@millrace/redis';

const firstDelayMs = 20;
const maxDelayMs = 500;

/** How long the two ends of a request wait for each other, in ms, if it does not have the requester's timeout. */
export const defaultPatienceMs = 30_000;

/** How long to go on trying. */
export interface Patience {
  /** By the monotonic clock. */
  readonly until: number;
  /** Called after each failure: whether the caller has given up. */
  readonly isGivenUp?: () => boolean;
}

/**
 * Repeats an idempotent action until Redis confirms it: through outages, and when a reply was lost. The
 * last error is thrown when the time is up, and any error that a repetition cannot fix is thrown immediately.
 */
export async function insist<T>(patience: Patience, work: () => Promise<T>): Promise<T> {
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, maxDelayMs)) {
    try {
      return await work();
    } catch (error) {
      const isOver = performance.now() + delayMs > patience.until || patience.isGivenUp?.() === true;
      if (isOver || !redisFailure(error).isTemporary) throw error;
    }
    await pause(delayMs, { ref: false });
  }
}
