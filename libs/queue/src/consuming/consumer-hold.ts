import { Fifo, LinkedList, startTimer, stopTimer, type Timer } from '@millrace/core';
import { InFlight } from '@millrace/delivery';
import { movingAverage, prefetchFor } from '../model/prefetch.js';
import type { Taken } from '../store/taken.js';
import type { ConsumerOptions } from './consumer-options.js';
import { ConsumerRate } from './consumer-rate.js';
import type { ConsumerRunner } from './consumer-runner.js';
import { HeldMessage, type MessageOrigin } from './held-message.js';
import type { HoldContext } from './hold-context.js';
import { Quarantine } from './quarantine.js';

/** Messages wait no longer than this for handlers that turned slow; then others may have them. */
const maxIdleWaitMs = 1000;

/**
 * The messages that a consumer holds: how many more it wants, which of them run, which wait for their turn. It starts as
 * many as may run at once, in the order in which they came.
 */
export class ConsumerHold {
  readonly #options: ConsumerOptions;
  readonly #runner: Pick<ConsumerRunner, 'start' | 'begun'>;
  readonly #context: HoldContext;
  // They are found by their key now and then only: no Map of them, see PassingMap.
  readonly #held = new LinkedList<HeldMessage>();
  #count = 0;
  readonly #counts: number[] = [];
  readonly #units = new InFlight();
  readonly #rate: ConsumerRate;
  readonly #quarantine = new Quarantine();
  readonly #waiting = new Fifo<HeldMessage>();
  #isOpen = true;
  #isStarting = false;
  #averageMs = Number.POSITIVE_INFINITY;
  #bytes = 0;
  #averageBytes = 0;
  #batchTimer: Timer | undefined;

  constructor(options: ConsumerOptions, runner: Pick<ConsumerRunner, 'start' | 'begun'>, context: HoldContext) {
    this.#options = options;
    this.#runner = runner;
    this.#context = context;
    this.#rate = new ConsumerRate(options, () => context.askForMore());
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
    const room = Math.min(this.#limit - this.#count, this.#roomByBytes, this.#quarantine.room);
    return room <= reserved ? 0 : this.#rate.permitted(room, reserved);
  }

  /** Most bytes that may come, as long as no message has told how large they are. */
  get maxBytes(): number | undefined {
    return this.#averageBytes === 0 ? this.#options.maxHeldBytes : undefined;
  }

  /** Most messages to ask for at once: a third or a half of what may be held, so that some come while others are handled; but as many as may run. */
  get portion(): number {
    const { concurrency, batchHandler, batch } = this.#options;
    const running = batchHandler === undefined ? concurrency : concurrency * batch.maxMessages;
    return Math.max(running, this.mayAskAhead ? Math.floor(this.#limit / 3) : Math.ceil(this.#limit / 2));
  }

  /** Whether it may be asked for more before an answer says how many came: not where the user said how many may be held. */
  get mayAskAhead(): boolean {
    const { prefetch, batchHandler } = this.#options;
    return prefetch === undefined && batchHandler === undefined && this.#averageBytes > 0;
  }

  /** Holds messages, which run after the next `begin`. */
  add(origin: MessageOrigin, taken: Fifo<Taken>): void {
    const now = performance.now();
    const count = taken.size;
    for (let message = taken.shift(); message !== undefined; message = taken.shift()) {
      const held = new HeldMessage(origin, message, now);
      this.#held.push(held);
      this.#bytes += message.frame.length;
      this.#averageBytes = movingAverage(this.#averageBytes || Number.POSITIVE_INFINITY, message.frame.length);
      this.#waiting.push(held);
      this.#quarantine.added(held);
    }
    this.#count += count;
    this.#counts[origin.index] = this.countFrom(origin) + count;
    this.#rate.spend(count, now);
  }

  /** Starts as many of the messages that wait as may run. */
  begin(): void {
    // A handler that answers at once comes back here while the loop below still runs.
    if (this.#isStarting) return;
    this.#isStarting = true;
    const { concurrency, batchHandler } = this.#options;
    while (this.#units.count < concurrency && !this.#quarantine.isOn) {
      const unit = batchHandler === undefined ? this.#waiting.take(1) : this.#nextBatch();
      if (unit.length === 0) break;
      this.#units.begin();
      this.#runner.start(unit);
    }
    if (this.#quarantine.isOn) this.#beginAlone();
    this.#isStarting = false;
    this.#runner.begun();
  }

  #beginAlone(): void {
    const suspect = this.#quarantine.candidate(this.#waiting);
    const others = this.takeWaiting((held) => held !== suspect);
    if (others.length > 0) this.#context.giveBack(others);
    else if (suspect !== undefined && this.#units.count === 0 && this.#context.isQuiet()) {
      this.#waiting.clear();
      this.#quarantine.started(suspect);
      this.#units.begin();
      this.#runner.start([suspect]);
    }
  }

  /** A message is settled as far as this consumer goes; false when it was not here any more. */
  remove(held: HeldMessage): boolean {
    if (!this.#held.remove(held)) return false;
    this.#count--;
    this.#quarantine.removed(held);
    this.#bytes -= held.frame.length;
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
    this.#averageMs = movingAverage(this.#averageMs, tookMs / messages);
    this.#units.end();
    this.begin();
  }

  /** Resolves to true when nothing runs, to false when the deadline came first. */
  drained(deadlineMs: number): Promise<boolean> {
    return this.#units.drained(deadlineMs);
  }

  /** Takes out of here, and answers, what waits to run. */
  takeWaiting(isWanted: (held: HeldMessage) => boolean = () => true): HeldMessage[] {
    const taken = this.#waiting.takeIf(isWanted);
    for (const held of taken) this.remove(held);
    return taken;
  }

  /** Somebody cancelled a message: its handler is told; when it has none yet it is taken out of here, and answered. */
  cancel(key: string, reason: Error): HeldMessage | undefined {
    const held = this.#find(key);
    if (held === undefined || held.isCancelled) return undefined;
    held.isCancelled = true;
    if (held.context === undefined) return this.takeWaiting((waiting) => waiting === held)[0];
    held.abandon(reason);
    return undefined;
  }

  /** What waits although nobody asked for it to be fetched ahead, behind handlers that turned slow. */
  takeStale(now: number): HeldMessage[] {
    if (this.#options.prefetch !== undefined || this.#options.batchHandler !== undefined) return [];
    const stale = this.takeWaiting(({ takenAt }) => now - takenAt > maxIdleWaitMs);
    if (stale.length > 0) this.#averageMs = Number.POSITIVE_INFINITY;
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

  /** Large messages are fetched fewer at a time, by the size of the last ones; one can always be. */
  get #roomByBytes(): number {
    const room = Math.floor((this.#options.maxHeldBytes - this.#bytes) / Math.max(this.#averageBytes, 1));
    return this.#count === 0 ? Math.max(room, 1) : room;
  }

  get #limit(): number {
    const { prefetch, concurrency, batchHandler, batch } = this.#options;
    if (prefetch !== undefined) return prefetch;
    if (batchHandler !== undefined) return Math.min((concurrency + 1) * batch.maxMessages, 10_000);
    return prefetchFor(concurrency, this.#averageMs);
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
