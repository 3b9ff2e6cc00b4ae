import { rateOf, startTimer, stopTimer, type Timer } from '@millrace/core';
import { RateLimit } from '@millrace/delivery';
import type { HandlingOptions } from './handling-options.js';

/** Keeps a consumer to its rate, where it has one. */
export class RateBudget {
  readonly #limit: RateLimit | undefined;
  readonly #askForMore: () => void;
  #timer: Timer | undefined;

  constructor(options: Pick<HandlingOptions, 'rate' | 'maxPerSecond'>, askForMore: () => void) {
    const rate = rateOf(options);
    this.#limit = rate && new RateLimit(rate, performance.now());
    this.#askForMore = askForMore;
  }

  /**
   * How many of `room` messages, `reserved` of which are on their way, may be asked for now. Permits are spent by messages that come:
   * requests that bring nothing must not add up to a burst.
   */
  permitted(room: number, reserved: number): number {
    if (this.#limit === undefined) return room - reserved;
    const now = performance.now();
    const available = this.#limit.available(now);
    if (available === 0) {
      this.#timer ??= startTimer(() => {
        this.#timer = undefined;
        this.#askForMore();
      }, this.#limit.waitMs(now));
    }
    return Math.max(reserved, Math.min(room, available)) - reserved;
  }

  /** This many messages came. */
  spend(count: number, monotonicNow: number): void {
    this.#limit?.spend(count, monotonicNow);
  }

  end(): void {
    stopTimer(this.#timer);
  }
}
