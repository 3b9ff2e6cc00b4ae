import { startTimer, stopTimer, type Timer } from '@millrace/core';
import { DueQueue } from '../model/due-queue.js';
import type { RecordTask } from './record-task.js';

/** Records that wait for their next attempt, with one timer. */
export class RetryTimer {
  readonly #queue = new DueQueue<RecordTask>();
  readonly #onDue: (task: RecordTask) => void;
  #timer: Timer | undefined;
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(onDue: (task: RecordTask) => void) {
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#queue.size;
  }

  add(task: RecordTask, delayMs: number): void {
    this.#queue.add(performance.now() + delayMs, task);
    this.#arm();
  }

  clear(): void {
    stopTimer(this.#timer);
    this.#timerMs = Number.POSITIVE_INFINITY;
    while (this.#queue.take(Number.POSITIVE_INFINITY) !== undefined);
  }

  #arm(): void {
    const nextMs = this.#queue.nextMs;
    if (nextMs >= this.#timerMs) return;
    stopTimer(this.#timer);
    this.#timerMs = nextMs;
    // A timer may fire a little early, a retry must not: then it is set again.
    this.#timer = startTimer(() => this.#fire(), Math.max(1, Math.ceil(nextMs - performance.now())));
  }

  #fire(): void {
    this.#timerMs = Number.POSITIVE_INFINITY;
    const now = performance.now();
    for (let task = this.#queue.take(now); task !== undefined; task = this.#queue.take(now)) this.#onDue(task);
    if (this.#queue.size > 0) this.#arm();
  }
}
