import { LinkedList, startTimer, stopTimer, type Timer, type WriteFailure } from '@millrace/core';
import type { Publication } from './publication.js';

/** How much a publisher may hold. */
export interface PublishBounds {
  readonly maxBufferedMessages: number;
  readonly maxBufferedBytes: number;
}

/** At its deadline a message in a call that is under way waits this much longer: the reply shows whether it was written. */
const replyGraceMs = 200;

/**
 * Every message between its caller and its receipt: limited, so that a publisher that is faster than Redis waits instead
 * of filling its memory; and each with a deadline, so that no caller waits forever.
 */
export class InFlightWindow {
  readonly #bounds: PublishBounds;
  /** Ordered by deadline: all messages have the same timeout. */
  readonly #held = new LinkedList<Publication>();
  #count = 0;
  #bytes = 0;
  #timer: Timer | undefined;
  readonly #waiting: (() => void)[] = [];
  readonly #whenEmpty: (() => void)[] = [];

  constructor(bounds: PublishBounds) {
    this.#bounds = bounds;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether a message may enter now. A message that alone exceeds the limit may enter when the window is empty. */
  hasRoom(): boolean {
    return this.#waiting.length === 0 && this.#isBelowBounds();
  }

  /** Waits for room, first come first served. Resolves to false when none came within `timeoutMs`. */
  async room(timeoutMs: number): Promise<boolean> {
    if (this.hasRoom()) return true;
    return new Promise((resolve) => {
      const timer = startTimer(() => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        resolve(false);
      }, timeoutMs);
      const enter = (): void => {
        stopTimer(timer);
        resolve(true);
      };
      this.#waiting.push(enter);
    });
  }

  enter(publication: Publication): void {
    publication.entered(this);
    this.#held.push(publication);
    this.#count++;
    this.#bytes += publication.bytes;
    if (this.#timer === undefined) this.#watch(publication.deadlineMs);
    else if (this.#count === 1) this.#timer.ref();
  }

  /** The message has its receipt or its error. */
  leave(publication: Publication): void {
    this.#held.remove(publication);
    this.#count--;
    this.#bytes -= publication.bytes;
    if (this.#waiting.length > 0 && this.#isBelowBounds()) this.#waiting.shift()?.();
    if (this.#count === 0) {
      // Not cleared: the next message is likely to come soon. It does not keep the process alive.
      this.#timer?.unref();
      for (const resolve of this.#whenEmpty.splice(0)) resolve();
    }
  }

  /** Resolves when everything that is held now is settled. Each message has a deadline, so this ends. */
  async drained(): Promise<void> {
    while (this.#count > 0) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
  }

  /** No held message will get a receipt. */
  giveUp(failure: WriteFailure, description: string): void {
    for (let publication = this.#held.first; publication !== undefined; publication = this.#held.first) {
      publication.giveUp(failure, description);
    }
  }

  #isBelowBounds(): boolean {
    return this.#count < this.#bounds.maxBufferedMessages && this.#bytes < this.#bounds.maxBufferedBytes;
  }

  #watch(deadlineMs: number): void {
    this.#timer = startTimer(() => this.#expire(), Math.max(1, Math.ceil(deadlineMs - performance.now())));
  }

  #expire(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (let publication = this.#held.first; publication !== undefined; publication = this.#held.first) {
      if (publication.deadlineMs + (publication.uncertainCalls > 0 ? replyGraceMs : 0) > now) break;
      const why =
        publication.lastFailure === 'timeout' ? 'Redis did not reply in time' : 'Redis did not accept it in time';
      publication.giveUp(publication.lastFailure, `${why} (${publication.lastFailure})`);
    }
    const next = this.#held.first;
    if (next !== undefined) this.#watch(Math.max(next.deadlineMs, now + 20));
  }
}
