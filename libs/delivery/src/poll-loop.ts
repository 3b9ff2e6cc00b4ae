import { notify, startTimer, stopTimer, unreported } from '@millrace/core';
import { Lifecycle, type Service } from './lifecycle.js';

/** Does one turn of work; resolves to the pause before the next, in ms. Must observe the signal while it waits. */
export type Poll = (stopping: AbortSignal) => Promise<number>;

/**
 * The one background loop: polls until it is stopped. A poll that throws is reported and tried again, with delays that
 * double from 50 ms to 2 s: an outage neither ends the loop nor makes it spin.
 */
export class PollLoop implements Service {
  readonly #poll: Poll;
  readonly #onError: (error: unknown) => void;
  readonly #lifecycle = new Lifecycle();
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;
  #isWoken = false;

  constructor(poll: Poll, onError: (error: unknown) => void) {
    this.#poll = poll;
    this.#onError = onError;
  }

  /** Starts polling; the first poll is immediate. */
  start(): Promise<void> {
    return this.#lifecycle.start(async () => {
      this.#running = this.#run();
    });
  }

  /** Waits for the poll in progress. The poll observes the deadline itself: it has the signal. */
  stop(): Promise<void> {
    return this.#lifecycle.stop(async () => {
      this.#stopping.abort();
      this.wake();
      await this.#running;
    });
  }

  /** Ends the current pause, or skips the next one. */
  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      this.#isWoken = false;
      let restMs: number;
      try {
        restMs = await this.#poll(this.#stopping.signal);
        failures = 0;
      } catch (error) {
        restMs = Math.min(50 * 2 ** failures++, 2000);
        if (!this.#stopping.signal.aborted) notify(() => this.#onError(error), unreported);
      }
      await this.#rest(restMs);
    }
  }

  async #rest(ms: number): Promise<void> {
    if (this.#isWoken || this.#stopping.signal.aborted || ms <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = startTimer(resolve, ms);
      this.#wake = () => {
        stopTimer(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
