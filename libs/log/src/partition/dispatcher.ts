import { performance } from 'node:perf_hooks';
import { Fifo, type Rate, startTimer, stopTimer, type Timer } from '@millrace/core';
import { RateLimit } from '@millrace/delivery';

/** Somebody who has records to start. */
export interface Dispatchable {
  /** Whether it has a place in the turn. Kept by the dispatcher. */
  hasPlace: boolean;
  /** Starts one record or batch; false when there is none to start now. */
  startNext(monotonicNow: number): boolean;
  /** Its turn is over. */
  endTurn(monotonicNow: number): void;
}

/** After so long the event loop gets its turn, so that heartbeats and other work are not held up by a full buffer. */
const sliceMs = 8;
/** Records of one partition before it is another partition's turn. */
const quantum = 32;
/**
 * Those that end at once take nobody's place, and a turn of them is as long as this: a batch that was begun is likely to be
 * finished, where a hundred begun at once are kept in memory, decoded, while each waits for its next turn.
 */
const turnMs = 2;

const resolved = Promise.resolve();

/** Shares a member's concurrency and rate among its partitions, in turn. */
export class Dispatcher {
  readonly #concurrency: number;
  readonly #rate: RateLimit | undefined;
  /** Those that may have something to start, in their turn. A member may own a thousand partitions, most of them at rest. */
  readonly #ready = new Fifo<Dispatchable>();
  #running = 0;
  /** Whose record runs alone, or is to when all that runs has ended. */
  #alone: Dispatchable | undefined;
  #isScheduled = false;
  #isPumping = false;
  #sliceEnd = 0;
  #isCutShort = false;
  #timer: Timer | undefined;

  constructor(concurrency: number, rate: Rate | undefined) {
    this.#concurrency = concurrency;
    this.#rate = rate === undefined ? undefined : new RateLimit(rate, performance.now());
  }

  /** Handlers that have not ended. */
  get running(): number {
    return this.#running;
  }

  remove(worker: Dispatchable): void {
    worker.hasPlace = false;
  }

  /** How many of `wanted` records may start now, by the rate; at least one. */
  permits(wanted: number): number {
    return this.#rate === undefined ? wanted : Math.max(1, Math.min(wanted, this.#rate.available(performance.now())));
  }

  /** A worker takes a place; it gives it back with `ended`. `permits`: how many records that is. */
  began(permits: number): void {
    this.#running++;
    this.#rate?.take(permits, performance.now());
  }

  ended(worker: Dispatchable): void {
    this.#running--;
    this.wake(worker);
    if (this.#alone !== undefined && this.#running === 0) this.#serveFirst(this.#alone);
  }

  /**
   * A record of this worker is to run alone. True: nothing runs, and nothing begins until it has ended. False: nothing begins
   * until all that runs has ended; then the worker is the first to be served.
   */
  claimAll(worker: Dispatchable): boolean {
    this.#alone = worker;
    return this.#running === 0;
  }

  /** A worker may have something to start: looks by the end of this turn. */
  wake(worker: Dispatchable): void {
    this.#enqueue(worker);
    this.#pumpSoon();
  }

  close(): void {
    stopTimer(this.#timer);
    for (const worker of this.#ready) worker.hasPlace = false;
    this.#ready.clear();
    this.#alone = undefined;
  }

  #serveFirst(worker: Dispatchable): void {
    this.#alone = undefined;
    worker.hasPlace = true;
    this.#ready.putBack([worker]);
  }

  #pumpSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Not queueMicrotask, which makes an AsyncResource each time.
    void resolved.then(this.#pumpNow);
  }

  readonly #pumpNow = (): void => {
    this.#isScheduled = false;
    this.#pump();
  };

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    // Whoever is added again meanwhile has another turn, after the others.
    while (this.#ready.size > 0 && this.#isOpen(performance.now())) {
      const worker = this.#ready.shift();
      if (worker?.hasPlace !== true) continue;
      worker.hasPlace = false;
      if (this.#serve(worker)) this.#enqueue(worker);
    }
    this.#isPumping = false;
  }

  #enqueue(worker: Dispatchable): void {
    if (worker.hasPlace) return;
    worker.hasPlace = true;
    this.#ready.push(worker);
  }

  /** Whether it may have more to start. */
  #serve(worker: Dispatchable): boolean {
    const running = this.#running;
    const turnEnd = performance.now() + turnMs;
    for (let started = 0; ; started++) {
      // Asked for each record: a handler that never waits may take long, and a lease may end meanwhile.
      const now = performance.now();
      const hasTurn = started < quantum || (this.#running === running && now < turnEnd);
      const isItsTurn = hasTurn && this.#isOpen(now);
      if (isItsTurn && worker.startNext(now)) continue;
      worker.endTurn(now);
      return !isItsTurn;
    }
  }

  #isOpen(now: number): boolean {
    if (this.#running >= this.#concurrency) return false;
    if (this.#alone !== undefined && this.#running > 0) return false;
    if (this.#isSliceOver(now)) return false;
    if (this.#rate === undefined) return true;
    const waitMs = this.#rate.waitMs(now);
    if (waitMs > 0) this.#wakeIn(waitMs);
    return waitMs === 0;
  }

  /** Promises resolve without giving the event loop a turn, so a slice spans all pumps of one turn. */
  #isSliceOver(now: number): boolean {
    if (this.#sliceEnd === 0) {
      this.#sliceEnd = now + sliceMs;
      setImmediate(() => this.#beginSlice());
    }
    this.#isCutShort = now >= this.#sliceEnd;
    return this.#isCutShort;
  }

  #beginSlice(): void {
    this.#sliceEnd = 0;
    if (this.#isCutShort) this.#pumpSoon();
    this.#isCutShort = false;
  }

  #wakeIn(ms: number): void {
    this.#timer ??= startTimer(() => {
      this.#timer = undefined;
      this.#pumpSoon();
    }, ms);
  }
}
