import type { Offer } from '../store/offers.js';
import type { Taken } from '../store/taken.js';

/** An offer that is recalled after 10 s: one that comes so late, because this process was held up or was not waiting, is not begun. */
const maxOfferMs = 5000;

interface WaitingOffer extends Offer {
  /** The last turn that was sent before it came: what that one brings was there before. */
  readonly afterTurn: number;
}

/**
 * Messages that came with a wake-up, without having been asked for, until it is decided whether there is room for them. They come
 * over another connection than what turns bring, so either may be late: an offer waits for the answers to the turns that were
 * sent before it came, and a turn of the only consumer takes over, as the first of what it brings, what is still on its way.
 */
export class Offers {
  readonly #waiting: WaitingOffer[] = [];
  /** Redis' clock less this process's monotonic one, as of the last turn. */
  #redisAheadMs = 0;
  /** Number of the last offer that a turn took over. */
  #takenOver = 0;

  /** Redis' time, as of a turn. */
  readTime(redisNow: number): void {
    this.#redisAheadMs = redisNow - performance.now();
  }

  /** Returns false when there is nothing to decide: the offer may be another consumer's by now, or a turn brought it. */
  add(offer: Offer, afterTurn: number): boolean {
    const ageMs = performance.now() + this.#redisAheadMs - offer.offeredAt;
    if (ageMs >= maxOfferMs || offer.number <= this.#takenOver) return false;
    this.#waiting.push({ ...offer, afterTurn });
    return true;
  }

  /** Takes out of here those before which nothing can come any more, as this turn was answered. */
  takeAfter(turn: number): Taken[] {
    const firstLater = this.#waiting.findIndex(({ afterTurn }) => afterTurn > turn);
    const ready = this.#waiting.splice(0, firstLater < 0 ? this.#waiting.length : firstLater);
    return ready.map(({ message }) => message);
  }

  /** A turn has brought the offers up to a number. */
  tookOver(number: number): void {
    this.#takenOver = number;
    this.#drop((offer) => offer.number <= number);
  }

  /** The consumer has these otherwise. */
  forget(ids: readonly string[]): void {
    this.#drop(({ message }) => ids.includes(message.id));
  }

  /** The numbers may begin again: the queue is another one, or Redis went back. */
  restart(): void {
    this.#takenOver = 0;
  }

  #drop(isHere: (offer: WaitingOffer) => boolean): void {
    const others = this.#waiting.filter((offer) => !isHere(offer));
    this.#waiting.splice(0, this.#waiting.length, ...others);
  }
}
