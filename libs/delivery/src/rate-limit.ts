import { perSecondOf, type Rate } from '@millrace/core';

/**
 * A token bucket: at most `limit` permits per `intervalMs` on average, with bursts of up to `burst`, by default a tenth of a second's
 * permits and at least one. Pure: the time is an argument, so it can be tested without waiting.
 */
export class RateLimit {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #lastMs: number;

  constructor(rate: Rate, nowMs: number, burst: number = Math.max(1, Math.ceil(perSecondOf(rate) / 10))) {
    this.#perMs = rate.limit / rate.intervalMs;
    this.#burst = burst;
    this.#tokens = burst;
    this.#lastMs = nowMs;
  }

  /** Takes up to `wanted` permits; returns how many it took. */
  take(wanted: number, nowMs: number): number {
    const taken = Math.min(wanted, this.available(nowMs));
    this.#tokens -= taken;
    return taken;
  }

  /** Takes `count` permits, including future ones: later calls wait for them. */
  spend(count: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens -= count;
  }

  /** The number of permits available now. */
  available(nowMs: number): number {
    this.#refill(nowMs);
    return Math.max(0, Math.floor(this.#tokens));
  }

  /** The time until a permit is available, in ms; 0 when one is available now. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) / this.#perMs);
  }

  #refill(nowMs: number): void {
    const passedMs = Math.max(0, nowMs - this.#lastMs);
    this.#tokens = Math.min(this.#burst, this.#tokens + passedMs * this.#perMs);
    this.#lastMs = nowMs;
  }
}
