import { pause } from '@millrace/core';
import { redisFailure } from '@millrace/redis';

const firstDelayMs = 20;
const maxDelayMs = 500;

/** How long the two ends of a request wait for each other, in ms, if it does not have the requester's timeout. */
export const defaultReplyWaitMs = 30_000;

/** How long an action is retried. */
export interface RetryBudget {
  /** By the monotonic clock. */
  readonly until: number;
  /** Called after each failure: whether the caller has given up. Default: it has not. */
  readonly isGivenUp?: () => boolean;
}

/**
 * Retries an idempotent action until Redis confirms it: through outages, and when a reply was lost.
 *
 * @throws the last error when the budget is spent; an error that a retry cannot fix, immediately
 */
export async function retryUntil<T>(budget: RetryBudget, work: () => Promise<T>): Promise<T> {
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, maxDelayMs)) {
    try {
      return await work();
    } catch (error) {
      const isOver = performance.now() + delayMs > budget.until || budget.isGivenUp?.() === true;
      if (isOver || !redisFailure(error).isTemporary) throw error;
    }
    await pause(delayMs, { ref: false });
  }
}
