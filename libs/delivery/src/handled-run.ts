import type { HandlerLabels } from './event-labels.js';

/** The largest number of deliveries in one run. */
const capacity = 64;

/**
 * Consecutive deliveries of one handler that all completed synchronously and at the first attempt. Where one begins when the one before
 * it ends, one reading of the clock serves both, and all are emitted in one call.
 *
 * A run is reused after it was emitted: a listener must read it during the call and keep no reference.
 */
export class HandledRun {
  /** The handler and source of the deliveries. */
  readonly labels: HandlerLabels;
  /** When each handler began, by `performance.now()` of this process. Only the first `count` items are valid, as in the other arrays. */
  readonly startedAts = new Float64Array(capacity);
  /** How long each handler took. */
  readonly durationsMs = new Float64Array(capacity);
  /** Each message's timestamp, in ms since 1970, by its sender's clock. */
  readonly timestamps = new Float64Array(capacity);
  #count = 0;
  #isOpen = false;

  constructor(labels: HandlerLabels) {
    this.labels = labels;
  }

  /** The number of deliveries. */
  get count(): number {
    return this.#count;
  }

  /** Whether the run is full. */
  get isFull(): boolean {
    return this.#count === capacity;
  }

  /** Adds a delivery that began at the given time and has ended; `endedBy` sets when. */
  add(startedAt: number, timestamp: number): void {
    this.startedAts[this.#count] = startedAt;
    this.timestamps[this.#count] = timestamp;
    this.#count++;
    this.#isOpen = true;
  }

  /** Sets the end of the last delivery to the given time, unless it is set already. */
  endedBy(monotonicNow: number): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const last = this.#count - 1;
    this.durationsMs[last] = monotonicNow - (this.startedAts[last] ?? monotonicNow);
  }

  /** Clears the run after it was emitted. */
  clear(): void {
    this.#count = 0;
  }
}
