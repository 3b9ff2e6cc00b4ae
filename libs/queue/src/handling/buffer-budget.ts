import { movingAverage, prefetchFor } from '../model/prefetch.js';
import type { HandlingOptions } from './handling-options.js';

const unknownTime = Number.POSITIVE_INFINITY;

/** How much a consumer may hold, by number and by bytes: from its options, and from the measured sizes and handling times. */
export class BufferBudget {
  readonly #options: HandlingOptions;
  #averageMs = unknownTime;
  #averageBytes = 0;
  #bytes = 0;

  constructor(options: HandlingOptions) {
    this.#options = options;
  }

  /** How many more may be held besides `count`: large messages are fetched in smaller numbers, but always at least one. */
  room(count: number): number {
    const byBytes = Math.floor((this.#options.maxHeldBytes - this.#bytes) / Math.max(this.#averageBytes, 1));
    return Math.min(this.#limit - count, count === 0 ? Math.max(byBytes, 1) : byBytes);
  }

  /** Most bytes that a turn may bring, while the size of messages is unknown. */
  get maxBytes(): number | undefined {
    return this.#averageBytes === 0 ? this.#options.maxHeldBytes : undefined;
  }

  /**
   * Most messages to ask for in one turn: a third or a half of what may be held, so that some come while others are handled; but as many
   * as may run.
   */
  get fetchSize(): number {
    const { concurrency, batchHandler, batch } = this.#options;
    const running = batchHandler === undefined ? concurrency : concurrency * batch.maxMessages;
    return Math.max(running, this.mayAskAhead ? Math.floor(this.#limit / 3) : Math.ceil(this.#limit / 2));
  }

  /** Whether more may be asked for before a reply shows how many came: not where the user limited how many may be held. */
  get mayAskAhead(): boolean {
    const { prefetch, batchHandler } = this.#options;
    return prefetch === undefined && batchHandler === undefined && this.#averageBytes > 0;
  }

  added(bytes: number): void {
    this.#bytes += bytes;
    this.#averageBytes = movingAverage(this.#averageBytes || Number.POSITIVE_INFINITY, bytes);
  }

  removed(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** A handler took this long per message. */
  handled(tookMs: number): void {
    this.#averageMs = movingAverage(this.#averageMs, tookMs);
  }

  /** Handlers became slow: no more are held than can run until handlers are known to be fast again. */
  slowedDown(): void {
    this.#averageMs = unknownTime;
  }

  get #limit(): number {
    const { prefetch, concurrency, batchHandler, batch } = this.#options;
    if (prefetch !== undefined) return prefetch;
    if (batchHandler !== undefined) return Math.min((concurrency + 1) * batch.maxMessages, 10_000);
    return prefetchFor(concurrency, this.#averageMs);
  }
}
