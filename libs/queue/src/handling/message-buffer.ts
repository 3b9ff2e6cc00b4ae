import { Fifo, LinkedList } from '@millrace/core';
import type { Taken } from '../store/taken.js';
import { BufferBudget } from './buffer-budget.js';
import type { HandlingOptions } from './handling-options.js';
import { HeldMessage, type MessageOrigin } from './held-message.js';
import { Quarantine } from './quarantine.js';
import { RateBudget } from './rate-budget.js';

/** Messages wait at most this long for handlers that became slow; then others may have them. */
const maxIdleWaitMs = 1000;

/** The messages that a consumer holds, from all shards of its queue, and how many more it wants. */
export class MessageBuffer {
  /** How much may be held, and asked for per turn. */
  readonly budget: BufferBudget;
  /** Whether a message must be handled alone. */
  readonly quarantine = new Quarantine();
  /** Those for which no handler has started, in order. What is taken out of here to be handled stays held. */
  readonly waiting = new Fifo<HeldMessage>();
  readonly #options: HandlingOptions;
  readonly #askForMore: () => void;
  // Rarely looked up by key: a list, not a Map. See docs/decisions/0008.
  readonly #held = new LinkedList<HeldMessage>();
  #count = 0;
  /** Counts by shard. */
  readonly #counts: number[] = [];
  readonly #rate: RateBudget;
  #isOpen = true;

  /** @param askForMore called when there may be room for more */
  constructor(options: HandlingOptions, askForMore: () => void) {
    this.#options = options;
    this.#askForMore = askForMore;
    this.budget = new BufferBudget(options);
    this.#rate = new RateBudget(options, askForMore);
  }

  get count(): number {
    return this.#count;
  }

  /** How many came from one shard. */
  countFrom({ index }: MessageOrigin): number {
    return this.#counts[index] ?? 0;
  }

  has(key: string): boolean {
    return this.#find(key) !== undefined;
  }

  all(): HeldMessage[] {
    return [...this.#held];
  }

  /** Whether more may be taken. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  set isOpen(isOpen: boolean) {
    this.#isOpen = isOpen;
    if (isOpen) this.#askForMore();
  }

  /** How many more messages the consumer wants now, besides `reserved` that may be on their way. */
  wanted(reserved = 0): number {
    if (!this.#isOpen) return 0;
    const room = Math.min(this.budget.room(this.#count), this.quarantine.room);
    return room <= reserved ? 0 : this.#rate.permitted(room, reserved);
  }

  /** Holds these messages, and empties the queue it is given. */
  add(origin: MessageOrigin, taken: Fifo<Taken>): void {
    const now = performance.now();
    const count = taken.size;
    for (let message = taken.shift(); message !== undefined; message = taken.shift()) {
      const held = new HeldMessage(origin, message, now);
      this.#held.push(held);
      this.budget.added(message.frame.length);
      this.waiting.push(held);
      this.quarantine.added(held);
    }
    this.#count += count;
    this.#counts[origin.index] = this.countFrom(origin) + count;
    this.#rate.spend(count, now);
  }

  /** Removes a message that runs, or has just been taken out of `waiting`; false when it was not held any more. */
  remove(held: HeldMessage): boolean {
    if (!this.#held.remove(held)) return false;
    this.#count--;
    this.quarantine.removed(held);
    this.budget.removed(held.frame.length);
    this.#counts[held.origin.index] = this.countFrom(held.origin) - 1;
    return true;
  }

  /** Removes and returns messages that wait to run. */
  takeWaiting(isWanted: (held: HeldMessage) => boolean = () => true): HeldMessage[] {
    const taken = this.waiting.takeIf(isWanted);
    for (const held of taken) this.remove(held);
    return taken;
  }

  /** Removes and returns messages that wait and those that run: this consumer no longer owns them. */
  takeAll(isWanted: (held: HeldMessage) => boolean): HeldMessage[] {
    const waiting = this.takeWaiting(isWanted);
    const running = this.all().filter(isWanted);
    for (const held of running) this.remove(held);
    return [...waiting, ...running];
  }

  /** Messages that wait behind handlers that became slow, where the user did not ask for prefetching. */
  takeStale(now: number): HeldMessage[] {
    if (this.#options.prefetch !== undefined || this.#options.batchHandler !== undefined) return [];
    const stale = this.takeWaiting(({ takenAt }) => now - takenAt > maxIdleWaitMs);
    if (stale.length > 0) this.budget.slowedDown();
    return stale;
  }

  /** A message was cancelled: aborts its handler's signal; if none runs yet, the message is removed and returned. */
  cancel(key: string, reason: Error): HeldMessage | undefined {
    const held = this.#find(key);
    if (held === undefined || held.isCancelled) return undefined;
    held.isCancelled = true;
    if (held.context === undefined) return this.takeWaiting((waiting) => waiting === held)[0];
    held.abandon(reason);
    return undefined;
  }

  /** Accepts nothing more. */
  end(): void {
    this.#isOpen = false;
    this.#rate.end();
  }

  #find(key: string): HeldMessage | undefined {
    for (const held of this.#held) if (held.key === key) return held;
    return undefined;
  }
}
