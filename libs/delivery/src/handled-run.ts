import type { HandlerLabels } from './event-labels.js';

/** So many deliveries are told at once, at most. */
const capacity = 64;

/**
 * Deliveries of one handler that came one after the other and all ended as they should, within the call and at the first
 * attempt. Where each begins when the one before it ends, one look at the clock serves both, and they are told together.
 *
 * It is written anew when it was told: a listener reads it during the call, and keeps nothing of it.
 */
export class HandledRun {
  /** Whose deliveries they are. */
  readonly labels: HandlerLabels;
  /** When each handler began, by `performance.now()` of this process. Only the first `count` count, as in the others. */
  readonly startedAts = new Float64Array(capacity);
  /** How long each handler took. */
  readonly durationsMs = new Float64Array(capacity);
  /** Each message's time, in ms since 1970, by its sender's clock. */
  readonly timestamps = new Float64Array(capacity);
  #count = 0;
  #isOpen = false;

  constructor(labels: HandlerLabels) {
    this.labels = labels;
  }

  /** How many deliveries it holds. */
  get count(): number {
    return this.#count;
  }

  /** Whether it has no room for another. */
  get isFull(): boolean {
    return this.#count === capacity;
  }

  /** A delivery began then and has ended; `endedBy` tells when. */
  add(startedAt: number, timestamp: number): void {
    this.startedAts[this.#count] = startedAt;
    this.timestamps[this.#count] = timestamp;
    this.#count++;
    this.#isOpen = true;
  }

  /** The clock was read: the last one ended by now, unless that is known already. */
  endedBy(monotonicNow: number): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const last = this.#count - 1;
    this.durationsMs[last] = monotonicNow - (this.startedAts[last] ?? monotonicNow);
  }

  /** Forgets them: they were told. */
  clear(): void {
    this.#count = 0;
  }
}
