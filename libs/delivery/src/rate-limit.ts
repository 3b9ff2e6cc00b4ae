/**
 * A token bucket: at most `perSecond` permits a second on average, with bursts of at most `burst`.
 * Pure: the time is an argument, so it can be tested without waiting.
 */
export class RateLimit {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #lastMs: number;

  constructor(perSecond: number, nowMs: number, burst: number = Math.max(1, Math.ceil(perSecond / 10))) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#lastMs = nowMs;
  }

  /** Takes up to `wanted` permits; answers how many it got. */
  take(wanted: number, nowMs: number): number {
    this.#refill(nowMs);
    const taken = Math.min(wanted, Math.floor(this.#tokens));
    this.#tokens -= taken;
    return taken;
  }

  /** How many permits there are now. */
  available(nowMs: number): number {
    this.#refill(nowMs);
    return Math.floor(this.#tokens);
  }

  /** How long until one permit is there; 0 when one is there now. */
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
