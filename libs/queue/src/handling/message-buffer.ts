import { Fifo, LinkedList, startTimer, stopTimer, type Timer } from '@millrace/core';
import { InFlight } from '@millrace/delivery';
import type { ConsumerOptions } from '../consumer/consumer-options.js';
import type { Taken } from '../store/taken.js';
import { BufferBudget } from './buffer-budget.js';
import type { BufferContext } from './buffer-context.js';
import { HeldMessage, type MessageOrigin } from './held-message.js';
import type { MessageRunner } from './message-runner.js';
import { Quarantine } from './quarantine.js';
import { RateBudget } from './rate-budget.js';

/** Messages wait no longer than this for handlers that turned slow; then others may have them. */
const maxIdleWaitMs = 1000;

/**
 * The messages that a consumer holds: how many more it wants, which of them run, which wait for their turn. It starts as
 * many as may run simultaneously, in the order in which they came.
 */
export class MessageBuffer {
  readonly #options: ConsumerOptions;
  readonly #runner: Pick<MessageRunner, 'start' | 'begun'>;
  readonly #context: BufferContext;
  // They are found by their key now and then only: no Map of them, see PassingMap.
  readonly #held = new LinkedList<HeldMessage>();
  #count = 0;
  readonly #counts: number[] = [];
  readonly #units = new InFlight();
  readonly #budget: BufferBudget;
  readonly #rate: RateBudget;
  readonly #quarantine = new Quarantine();
  readonly #waiting = new Fifo<HeldMessage>();
  #isOpen = true;
  #isStarting = false;
  #batchTimer: Timer | undefined;

  constructor(options: ConsumerOptions, runner: Pick<MessageRunner, 'start' | 'begun'>, context: BufferContext) {
    this.#options = options;
    this.#runner = runner;
    this.#context = context;
    this.#budget = new BufferBudget(options);
    this.#rate = new RateBudget(options, () => context.askForMore());
  }

  get count(): number {
    return this.#count;
  }

  /** How many came from one slot. */
  countFrom({ index }: MessageOrigin): number {
    return this.#counts[index] ?? 0;
  }

  get running(): number {
    return this.#units.count;
  }

  has(key: string): boolean {
    return this.#find(key) !== undefined;
  }

  /** Whether more may be taken. */
  set isOpen(isOpen: boolean) {
    this.#isOpen = isOpen;
    if (isOpen) this.#context.askForMore();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** How many more messages the consumer wants now, besides `reserved` that may be on their way. */
  wanted(reserved = 0): number {
    if (!this.#isOpen) return 0;
    const room = Math.min(this.#budget.room(this.#count), this.#quarantine.room);
    return room <= reserved ? 0 : this.#rate.permitted(room, reserved);
  }

  /** How much may be held, and asked for in one turn. */
  get budget(): Pick<BufferBudget, 'maxBytes' | 'portion' | 'mayAskAhead'> {
    return this.#budget;
  }

  /** Holds messages, which run after the next `begin`. */
  add(origin: MessageOrigin, taken: Fifo<Taken>): void {
    const now = performance.now();
    const count = taken.size;
    for (let message = taken.shift(); message !== undefined; message = taken.shift()) {
      const held = new HeldMessage(origin, message, now);
      this.#held.push(held);
      this.#budget.added(message.frame.length);
      this.#waiting.push(held);
      this.#quarantine.added(held);
    }
    this.#count += count;
    this.#counts[origin.index] = this.countFrom(origin) + count;
    this.#rate.spend(count, now);
  }

  /** Starts as many of the messages that wait as may run. */
  begin(): void {
    // A handler that ends immediately comes back here while the loop below still runs.
    if (this.#isStarting) return;
    this.#isStarting = true;
    const { concurrency, batchHandler } = this.#options;
    while (this.#units.count < concurrency && !this.#quarantine.isOn) {
      const unit = batchHandler === undefined ? this.#waiting.take(1) : this.#nextBatch();
      if (unit.length === 0) break;
      this.#start(unit);
    }
    if (this.#quarantine.isOn) this.#beginAlone();
    this.#isStarting = false;
    this.#runner.begun();
  }

  #start(unit: readonly HeldMessage[]): void {
    this.#units.begin();
    this.#runner.start(unit);
  }

  /** Starts a message that the quarantine has let in, when nothing else is held. */
  #beginAlone(): void {
    const suspect = this.#quarantine.candidate(this.#waiting);
    const others = this.takeWaiting((held) => held !== suspect);
    if (others.length > 0) this.#context.giveBack(others);
    else if (suspect !== undefined && this.#units.count === 0 && this.#context.isQuiet()) {
      this.#waiting.clear();
      this.#quarantine.started(suspect);
      this.#start([suspect]);
    }
  }

  /** A message is settled as far as this consumer goes; false when it was not here any more. */
  remove(held: HeldMessage): boolean {
    if (!this.#held.remove(held)) return false;
    this.#count--;
    this.#quarantine.removed(held);
    this.#budget.removed(held.frame.length);
    this.#counts[held.origin.index] = this.countFrom(held.origin) - 1;
    return true;
  }

  /** Takes messages out of here that are not this consumer's any more. */
  forget(keys: readonly string[]): HeldMessage[] {
    const waiting = this.takeWaiting(({ key }) => keys.includes(key));
    const running = this.all().filter(({ key }) => keys.includes(key));
    for (const held of running) this.remove(held);
    return [...waiting, ...running];
  }

  all(): HeldMessage[] {
    return [...this.#held];
  }

  /** Those that came from one slot. */
  allFrom(origin: MessageOrigin): HeldMessage[] {
    return this.all().filter((held) => held.origin === origin);
  }

  /** One of the units that were started has ended. */
  unitEnded(messages: number, tookMs: number): void {
    this.#budget.handled(tookMs / messages);
    this.#units.end();
    this.begin();
  }

  /** Resolves to true when nothing runs, to false when the deadline came first. */
  drained(deadlineMs: number): Promise<boolean> {
    return this.#units.drained(deadlineMs);
  }

  /** Takes out of here, and returns, what waits to run. */
  takeWaiting(isWanted: (held: HeldMessage) => boolean = () => true): HeldMessage[] {
    const taken = this.#waiting.takeIf(isWanted);
    for (const held of taken) this.remove(held);
    return taken;
  }

  /** A message was cancelled: its handler's signal is aborted; when none runs yet the message is taken out of here, and returned. */
  cancel(key: string, reason: Error): HeldMessage | undefined {
    const held = this.#find(key);
    if (held === undefined || held.isCancelled) return undefined;
    held.isCancelled = true;
    if (held.context === undefined) return this.takeWaiting((waiting) => waiting === held)[0];
    held.abandon(reason);
    return undefined;
  }

  /** What waits behind handlers that turned slow, where the user did not ask for messages to be fetched ahead. */
  takeStale(now: number): HeldMessage[] {
    if (this.#options.prefetch !== undefined || this.#options.batchHandler !== undefined) return [];
    const stale = this.takeWaiting(({ takenAt }) => now - takenAt > maxIdleWaitMs);
    if (stale.length > 0) this.#budget.slowedDown();
    return stale;
  }

  /** Takes everything out of here that came from one slot: none of it is this consumer's any more. */
  clear(origin: MessageOrigin): HeldMessage[] {
    const lost = this.allFrom(origin);
    this.takeWaiting((held) => held.origin === origin);
    for (const held of lost) this.remove(held);
    return lost;
  }

  end(): void {
    this.#isOpen = false;
    stopTimer(this.#batchTimer);
    this.#rate.end();
  }

  #find(key: string): HeldMessage | undefined {
    for (const held of this.#held) if (held.key === key) return held;
    return undefined;
  }

  /** A full batch, or what there is when its first message has waited long enough; else nothing yet. */
  #nextBatch(): HeldMessage[] {
    const { maxMessages, maxWaitMs } = this.#options.batch;
    const first = this.#waiting.peek();
    const waitMs = first === undefined ? 0 : first.takenAt + maxWaitMs - performance.now();
    if (this.#waiting.size >= maxMessages || waitMs <= 0 || !this.#isOpen) return this.#waiting.take(maxMessages);
    stopTimer(this.#batchTimer);
    this.#batchTimer = startTimer(() => this.begin(), Math.ceil(waitMs));
    return [];
  }
}
