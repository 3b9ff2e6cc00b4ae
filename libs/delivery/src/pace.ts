import { pause } from '@millrace/core';
import type { RateLimit } from './rate-limit.js';

/** Waits for one permit of `rate` and takes it. Resolves to false immediately, without taking one, when `signal` is aborted. */
export async function keepPace(rate: RateLimit, signal: AbortSignal | undefined): Promise<boolean> {
  while (signal?.aborted !== true) {
    if (rate.take(1, performance.now()) === 1) return true;
    await pause(rate.waitMs(performance.now()), signal === undefined ? {} : { signal });
  }
  return false;
}
