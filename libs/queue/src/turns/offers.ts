import { Fifo } from '@millrace/core';
import type { Offer } from '../store/offers.js';
import type { Outbox } from './outbox.js';
import type { TurnContext } from './turn-context.js';
import type { TurnRequests } from './turn-requests.js';

/** Offers are recalled after 10 s: one that comes this late, because the process stalled or was not waiting, is not started. */
const maxOfferMs = 5000;

interface WaitingOffer extends Offer {
  /** The last turn that was sent before it came: messages of that turn come first. */
  readonly afterTurn: number;
}

/** The consumer's parts that decide on offers. */
export interface OffersParts {
  readonly buffer: Pick<TurnContext, 'wanted' | 'take' | 'begin'>;
  readonly outbox: Pick<Outbox, 'claim'>;
  readonly requests: Pick<TurnRequests, 'asked' | 'lastAsking' | 'lastEnded'>;
}

/** What was decided about some offers. */
export interface OfferDecision {
  /** How many were taken: their claims are in the outbox. */
  readonly taken: number;
  /** Offers for other consumers. */
  readonly declined: readonly string[];
}

/**
 * Messages that came with a wake-up, unrequested, until it is decided whether there is room for them. They come
 * over another connection than the messages of turns, so either may be late: an offer waits for the replies to the turns that were
 * sent before it came, and a turn of the only consumer takes over offers that are still under way, as its first messages.
 */
export class Offers {
  readonly #parts: OffersParts;
  readonly #waiting: WaitingOffer[] = [];
  /** Redis' clock less this process's monotonic one, as of the last turn. */
  #redisAheadMs = 0;
  /** Number of the last offer that a turn took over. */
  #takenOver = 0;

  constructor(parts: OffersParts) {
    this.#parts = parts;
  }

  /** Redis' time, as of a turn. */
  readTime(redisNow: number, monotonicNow: number): void {
    this.#redisAheadMs = redisNow - monotonicNow;
  }

  /** Returns false when there is nothing to decide: another consumer may have the offer, or a turn brought it. */
  add(offer: Offer, monotonicNow: number): boolean {
    const ageMs = monotonicNow + this.#redisAheadMs - offer.offeredAt;
    if (ageMs >= maxOfferMs || offer.number <= this.#takenOver) return false;
    this.#waiting.push({ ...offer, afterTurn: this.#parts.requests.lastAsking });
    return true;
  }

  /**
   * Decides on those before which nothing can come any more: the turns that were sent before them have their replies. They are taken while
   * there is room; after one that is not, none is: it would overtake that one, which returns to the queue.
   *
   * @param mayTake whether the consumer still has the registration that they came for
   */
  decide(mayTake: () => boolean): OfferDecision {
    const { buffer, outbox, requests } = this.#parts;
    const firstLater = this.#waiting.findIndex(({ afterTurn }) => afterTurn > requests.lastEnded);
    const ready = this.#waiting.splice(0, firstLater < 0 ? this.#waiting.length : firstLater);
    const declined: string[] = [];
    for (const { message } of ready) {
      if (declined.length > 0 || !mayTake() || buffer.wanted() <= requests.asked) declined.push(message.id);
      else {
        outbox.claim(message.id);
        buffer.take(new Fifo([message]));
        buffer.begin();
      }
    }
    return { taken: ready.length - declined.length, declined };
  }

  /** A turn has brought the offers up to this number. */
  tookOver(number: number): void {
    this.#takenOver = number;
    this.#drop((offer) => offer.number <= number);
  }

  /** The consumer got these another way. */
  forget(ids: readonly string[]): void {
    this.#drop(({ message }) => ids.includes(message.id));
  }

  /** The numbers may start again: the queue is another one, or Redis went back. */
  restart(): void {
    this.#takenOver = 0;
  }

  #drop(isHere: (offer: WaitingOffer) => boolean): void {
    const others = this.#waiting.filter((offer) => !isHere(offer));
    this.#waiting.splice(0, this.#waiting.length, ...others);
  }
}
