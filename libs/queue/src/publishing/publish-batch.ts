import { CallSize } from '../model/call-size.js';
import type { EntryResult } from '../model/receipt.js';
import type { Router } from '../model/routing.js';
import type { OutgoingMessage } from '../store/publish.js';
import type { CallContent } from '../store/publish-calls.js';
import type { CallItem } from './call-item.js';

/** The messages of one script call. */
export class PublishBatch implements CallContent {
  readonly items: readonly CallItem[];
  readonly slots: readonly string[];
  readonly router: Router;
  readonly source: string | undefined;
  /** For each slot its messages, by index. */
  readonly #picks = new Map<string, number[]>();
  /** Its number within its pipeline, from 1; 0 before it is sent. */
  number = 0;
  /** Where the script records this call; undefined while it has no place. */
  place: number | undefined;
  /** The call may have been executed: it must not be changed any more. */
  isTainted = false;
  #isUncertain = false;

  /** Takes the first items that fit in one call, with one topology and one source or none. Skips those that were given up. */
  static cut(pending: CallItem[]): PublishBatch | undefined {
    const items: CallItem[] = [];
    const size = new CallSize();
    let taken = 0;
    for (const item of pending) {
      const { publication, slots, router } = item;
      if (!publication.isSettled) {
        const isFitting = size.add(publication, slots, router);
        const [first] = items;
        if (first !== undefined && !(isFitting && isOfOneCall(item, first))) break;
        items.push(item);
      }
      taken++;
    }
    pending.splice(0, taken);
    return PublishBatch.#of(items);
  }

  static #of(items: readonly CallItem[]): PublishBatch | undefined {
    const [first] = items;
    return first === undefined ? undefined : new PublishBatch(first, items);
  }

  private constructor({ router, publication }: CallItem, items: readonly CallItem[]) {
    this.items = items;
    this.router = router;
    this.source = publication.target.source;
    items.forEach(({ slots }, index) => {
      for (const slot of slots) {
        const picks = this.#picks.get(slot);
        if (picks === undefined) this.#picks.set(slot, [index]);
        else picks.push(index);
      }
    });
    this.slots = [...this.#picks.keys()];
  }

  get messages(): OutgoingMessage[] {
    return this.slots.length === 0 ? [] : this.items.map(({ publication }) => publication);
  }

  picks(slot: string): readonly number[] | undefined {
    const picks = this.#picks.get(slot);
    return picks?.length === this.items.length ? undefined : picks;
  }

  /** None of its messages waits for a receipt any longer. */
  get isGivenUp(): boolean {
    return this.items.every(({ publication }) => publication.isSettled);
  }

  /** Whether every message goes to all its slots in this call, as nearly always on one server. */
  get #isWhole(): boolean {
    return this.items.every(({ publication, slots }) => publication.slots === slots);
  }

  /** Whether it may have been executed without a reply: from sending it until the reply. */
  set isUncertain(isUncertain: boolean) {
    if (isUncertain === this.#isUncertain) return;
    this.#isUncertain = isUncertain;
    for (const { publication } of this.items) publication.uncertainCalls += isUncertain ? 1 : -1;
  }

  /** What to send again: this call as it was if it may have been executed, else without those that were given up. */
  forRetry(release: () => void): PublishBatch {
    const waiting = this.items.filter(({ publication }) => !publication.isSettled);
    if (this.isTainted || waiting.length === this.items.length) return this;
    release();
    return PublishBatch.#of(waiting) ?? this;
  }

  /** Passes each message its results. */
  distribute(exceptions: readonly { message: number; target: number; result: EntryResult }[]): void {
    if (exceptions.length === 0 && this.#isWhole) {
      for (const { publication } of this.items) publication.allTook();
      return;
    }
    const results = new Map(exceptions.map(({ message, target, result }) => [`${message} ${target}`, result]));
    for (const [target, slot] of this.slots.entries()) {
      for (const index of this.#picks.get(slot) ?? []) {
        this.items[index]?.publication.replied(slot, results.get(`${index} ${target}`));
      }
    }
  }
}

function isOfOneCall({ router, publication }: CallItem, first: CallItem): boolean {
  return router === first.router && publication.target.source === first.publication.target.source;
}
