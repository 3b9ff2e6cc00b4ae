import type { Taken } from '../store/taken.js';
import type { WakeUp } from '../store/wake.js';

/**
 * A message that was handed over is anybody's again after 10 s: one that comes so late, because this process was held up or
 * nobody was waiting, is not begun.
 */
const maxHandOverMs = 5000;

/** Messages that came with a wake-up, without having been asked for, until it is decided whether there is room for them. */
export class HandOvers {
  readonly #waiting: Taken[] = [];
  /** Redis' clock less this process's monotonic one, as of the last turn. */
  #redisAheadMs = 0;

  /** Redis' time, as of a turn. */
  tellTime(redisNow: number): void {
    this.#redisAheadMs = redisNow - performance.now();
  }

  /** Returns false when there is nothing to decide: no message came along, or one that may be another consumer's by now. */
  add({ handed, handedAt }: WakeUp): boolean {
    if (handed === undefined || performance.now() + this.#redisAheadMs - handedAt >= maxHandOverMs) return false;
    this.#waiting.push(handed);
    return true;
  }

  /** Those that came since it was last asked. */
  takeAll(): Taken[] {
    return this.#waiting.splice(0);
  }
}
