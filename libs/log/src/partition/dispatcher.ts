import { performance } from 'node:perf_hooks';
import { Fifo, type Rate, startTimer, stopTimer, type Timer } from '@millrace/core';
import { RateLimit } from '@millrace/delivery';

/** A source of records to start. */
export interface Dispatchable {
  /** Whether it is in the dispatcher's queue. Set by the dispatcher. */
  isQueued: boolean;
  /** Starts one record or batch; returns false when there is none to start now. */
  startNext(monotonicNow: number): boolean;
  /** Its turn is over. */
  endTurn(monotonicNow: number): void;
}

/** After this time the dispatcher yields to the event loop, so that a full buffer does not delay heartbeats and other work. */
const sliceMs = 8;
/** Records of one partition before the next partition's turn. */
const quantum = 32;
/**
 * Handlers that end synchronously use no concurrency, and a turn of them has this many records: a batch that was begun is likely to be
 * finished, while a hundred begun together would be kept in memory, decoded, each waiting for its next turn.
 */
const turnMs = 2;

const resolved = Promise.resolve();

/** Shares a member's concurrency and rate among its partitions, round-robin. */
export class Dispatcher {
  readonly #concurrency: number;
  readonly #rate: RateLimit | undefined;
  /** Workers that may have something to start, in order. A member may own a thousand partitions, most of them idle. */
  readonly #ready = new Fifo<Dispatchable>();
  #running = 0;
  /** The worker whose record runs alone, or will when everything that runs has ended. */
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
    worker.isQueued = false;
  }

  /** How many of `wanted` records may start now, by the rate; at least one. */
  permits(wanted: number): number {
    return this.#rate === undefined ? wanted : Math.max(1, Math.min(wanted, this.#rate.available(performance.now())));
  }

  /** A worker starts a handler, until `ended`. `permits`: the number of its records. */
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
   * Reserves the dispatcher for one record that must run alone. True: nothing runs, and nothing starts until it has ended. False: nothing
   * starts until everything that runs has ended; then this worker is served first.
   */
  claimAll(worker: Dispatchable): boolean {
    this.#alone = worker;
    return this.#running === 0;
  }

  /** A worker may have something to start: serves it by the end of this turn of the event loop. */
  wake(worker: Dispatchable): void {
    this.#enqueue(worker);
    this.#pumpSoon();
  }

  close(): void {
    stopTimer(this.#timer);
    for (const worker of this.#ready) worker.isQueued = false;
    this.#ready.clear();
    this.#alone = undefined;
  }

  #serveFirst(worker: Dispatchable): void {
    this.#alone = undefined;
    worker.isQueued = true;
    this.#ready.putBack([worker]);
  }

  #pumpSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Not queueMicrotask: see docs/decisions/0008.
    void resolved.then(this.#pumpNow);
  }

  readonly #pumpNow = (): void => {
    this.#isScheduled = false;
    this.#pump();
  };

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    // A worker that is added again meanwhile gets another turn, after the others.
    while (this.#ready.size > 0 && this.#isOpen(performance.now())) {
      const worker = this.#ready.shift();
      if (worker?.isQueued !== true) continue;
      worker.isQueued = false;
      if (this.#serve(worker)) this.#enqueue(worker);
    }
    this.#isPumping = false;
  }

  #enqueue(worker: Dispatchable): void {
    if (worker.isQueued) return;
    worker.isQueued = true;
    this.#ready.push(worker);
  }

  /** Whether the worker may have more to start. */
  #serve(worker: Dispatchable): boolean {
    const running = this.#running;
    const turnEnd = performance.now() + turnMs;
    for (let started = 0; ; started++) {
      // Checked per record: a handler that never awaits may take long, and a lease may end meanwhile.
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

  /** Promises resolve without a new turn of the event loop, so a slice spans all pumps of one turn. */
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
