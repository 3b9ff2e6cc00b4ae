import type { Router } from './routing.js';
import { queueOf } from './shards.js';

// Limits of one script call, which bound how long it blocks the server: some two ms.
export const maxMessages = 500;
const maxBytes = 1024 * 1024;
/** Most queues of one message that one call reaches: all or none. They take Redis three ms. */
export const maxQueues = 250;
/**
 * What a call costs Redis, in about µs: per queue, per message and queue, and per message handled singly: with terms, into queues with
 * limits, or into other queues than the first.
 */
const maxCost = 2000;
const queueCost = 10;
const plainCost = 2;
const singleCost = 8;

/** What a message adds to the size of a call. */
interface Sized {
  readonly bytes: number;
  /** '' for a plain message. */
  readonly terms: string;
}

/** How large a call would be with the messages that were added. */
export class CallSize {
  #messages = 0;
  #bytes = 0;
  #cost = 0;
  /** The slots of the first message: usually all others have the same. */
  #first: readonly string[] | undefined;
  #slots: Set<string> | undefined;
  /** Whether each message is handled singly in the first one's slots, and may drop others. */
  #isLimited = false;

  /** Adds a message. Returns whether it still fits. */
  add({ bytes, terms }: Sized, slots: readonly string[], router: Router): boolean {
    this.#messages++;
    this.#bytes += bytes;
    if (this.#first === undefined) {
      this.#first = slots;
      this.#isLimited = slots.some((slot) => isLimited(router, slot));
      this.#cost = slots.length * queueCost;
    }
    const isSame = areSame(slots, this.#first);
    if (!isSame) this.#addSlots(slots);
    const isPlain = isSame && !this.#isLimited && terms === '';
    this.#cost += slots.length * (isPlain ? plainCost : singleCost);
    return this.#messages <= maxMessages && this.#bytes <= maxBytes && this.#cost <= maxCost;
  }

  #addSlots(slots: readonly string[]): void {
    this.#slots ??= new Set(this.#first);
    const before = this.#slots.size;
    for (const slot of slots) this.#slots.add(slot);
    this.#cost += (this.#slots.size - before) * queueCost;
  }
}

function isLimited({ topology }: Router, slot: string): boolean {
  const settings = topology.queues.get(queueOf(slot));
  if (settings === undefined) return false;
  const { maxLength, maxBytes, messageTtlMs, priorities } = settings;
  return priorities > 1 || [maxLength, maxBytes, messageTtlMs].some((limit) => limit !== undefined);
}

/** On one server messages of one route have one list of slots; on a cluster each has lists of its own. */
function areSame(slots: readonly string[], first: readonly string[]): boolean {
  return slots === first || (slots.length === first.length && slots.every((slot, index) => slot === first[index]));
}
