import { pause } from '@millrace/core';
import { redisFailure } from '@millrace/redis';

const firstDelayMs = 20;
const maxDelayMs = 500;

/** How long the two ends of a request are patient with each other when it does not say how long its requester waits. */
export const defaultPatienceMs = 30_000;

/** How long to go on trying. */
export interface Patience {
  /** By the monotonic clock. */
  readonly until: number;
  /** Asked after each failure: whether its caller gave it up. */
  readonly isGivenUp?: () => boolean;
}

/**
 * Does something that may be done twice until Redis confirms it: through outages, and when a reply was lost on the way. The
 * last error is thrown when the patience is over, and immediately any error that trying again does not mend.
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
