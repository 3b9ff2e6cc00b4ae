import { isSuspect } from '../model/deliveries.js';
import type { HeldMessage } from './held-message.js';

/**
 * Has a message that may crash its consumers handled alone: while one is held the consumer takes nothing more, gives
 * back what waits beside it, and starts it when the others have ended and Redis knows that. After it the consumer takes one
 * message at a time, until one comes that is not a suspect.
 */
export class Quarantine {
  /** Suspects that are held. */
  #suspects = 0;
  #running: HeldMessage | undefined;
  #isCareful = false;

  get isOn(): boolean {
    return this.#suspects > 0;
  }

  /** How many more messages may be taken. */
  get room(): number {
    if (this.#suspects > 0) return 0;
    return this.#isCareful ? 1 : Number.POSITIVE_INFINITY;
  }

  added(held: HeldMessage): void {
    if (isSuspicious(held)) this.#suspects++;
    this.#isCareful = this.#suspects > 0;
  }

  removed(held: HeldMessage): void {
    if (this.#running === held) this.#running = undefined;
    if (this.#suspects > 0 && isSuspicious(held)) this.#suspects--;
  }

  started(suspect: HeldMessage): void {
    this.#running = suspect;
  }

  /** The next suspect; undefined while another runs. */
  candidate(waiting: Iterable<HeldMessage>): HeldMessage | undefined {
    if (this.#running !== undefined) return undefined;
    for (const held of waiting) if (isSuspicious(held)) return held;
    return undefined;
  }
}

function isSuspicious({ deliveries, origin }: HeldMessage): boolean {
  return deliveries.returns > 0 && isSuspect(deliveries, origin.deliveryLimit);
}
