import { RateLimit } from '@millrace/delivery';

/** Somebody who has records to start. */
export interface Dispatchable {
  /** Starts one record or batch; false when there is none to start now. */
  startNext(monotonicNow: number): boolean;
}

/** After so long the event loop gets its turn, so that heartbeats and other work are not held up by a full buffer. */
const sliceMs = 8;
/** Records of one partition before it is another partition's turn. */
const quantum = 32;

const resolved = Promise.resolve();

/** Shares a member's concurrency and rate among its partitions, in turn. */
export class Dispatcher {
  readonly #concurrency: number;
  readonly #rate: RateLimit | undefined;
  readonly #workers: Dispatchable[] = [];
  #running = 0;
  #turn = 0;
  #isScheduled = false;
  #isPumping = false;
  #sliceEnd = 0;
  #isCutShort = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(concurrency: number, maxPerSecond: number | undefined) {
    this.#concurrency = concurrency;
    this.#rate = maxPerSecond === undefined ? undefined : new RateLimit(maxPerSecond, performance.now());
  }

  /** Handlers that have not ended. */
  get running(): number {
    return this.#running;
  }

  add(worker: Dispatchable): void {
    this.#workers.push(worker);
    this.wake();
  }

  remove(worker: Dispatchable): void {
    const index = this.#workers.indexOf(worker);
    if (index >= 0) this.#workers.splice(index, 1);
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

  ended(): void {
    this.#running--;
    this.wake();
  }

  /** Something may be startable: looks by the end of this turn. */
  wake(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Not queueMicrotask, which makes an AsyncResource each time.
    void resolved.then(this.#pumpNow);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#workers.length = 0;
  }

  readonly #pumpNow = (): void => {
    this.#isScheduled = false;
    this.#pump();
  };

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    let idle = 0;
    while (idle < this.#workers.length && this.#isOpen(performance.now())) {
      const worker = this.#workers[this.#turn++ % this.#workers.length];
      idle = worker !== undefined && this.#serve(worker) > 0 ? 0 : idle + 1;
    }
    this.#isPumping = false;
  }

  #serve(worker: Dispatchable): number {
    for (let started = 0; started < quantum; started++) {
      // Asked for each record: a handler that never waits may take long, and a lease may end meanwhile.
      const now = performance.now();
      if (!this.#isOpen(now) || !worker.startNext(now)) return started;
    }
    return quantum;
  }

  #isOpen(now: number): boolean {
    if (this.#running >= this.#concurrency) return false;
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
    if (this.#isCutShort) this.wake();
    this.#isCutShort = false;
  }

  #wakeIn(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.wake();
    }, ms);
  }
}
