import { DeadlineExceededError, type Outcome, shown, startTimer, stopTimer, type Timer } from '@millrace/core';

/**
 * One attempt to handle one message, as the handler sees it. `log` and `queue` add the properties of their messages. The signal is
 * created only when it is read: most handlers never read it.
 */
export abstract class DeliveryContext {
  #controller: AbortController | undefined;
  #abortReason: unknown;
  #timer: Timer | undefined;
  #timeoutMs = 0;
  #terms: DeliveryTerms<this> | undefined;
  #decide: Decide<this> | undefined;
  #running: PromiseLike<unknown> | undefined;
  /** The outcome of an attempt whose deadline has passed, however its handler ends. */
  #overrun: Outcome | undefined;
  #isGivenUp = false;

  /** Which attempt this is, from 1. */
  abstract readonly attempt: number;

  /** Describes the message, for errors and logs. */
  abstract describe(): string;

  /**
   * Aborted when the deadline passes, the message is cancelled, or the lease on it is lost. After the deadline the handler has
   * `abortGraceMs` to end; then its attempt is given up, and the next one may begin while it still runs.
   */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /** Whether `signal` is aborted, without making a signal. */
  get isAborted(): boolean {
    return this.#abortReason !== undefined;
  }

  /** Whether the attempt was given up while its handler still ran: the handler's result is ignored then. */
  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /**
   * Moves the deadline to `timeoutMs` from now; `Infinity` removes it. A deadline that has passed stays. Default: the handler's
   * `handlerTimeoutMs`.
   *
   * @throws {TypeError} it is not a number
   */
  extend(timeoutMs: number = this.#timeoutMs): void {
    if (typeof timeoutMs !== 'number' || Number.isNaN(timeoutMs)) {
      throw new TypeError(`extend() takes a number of ms, got ${shown(timeoutMs)}.`);
    }
    if (this.#decide === undefined || this.isAborted || timeoutMs <= 0) return;
    stopTimer(this.#timer);
    this.#timeoutMs = timeoutMs;
    this.#timer = startTimer(() => this.#exceed(), timeoutMs);
  }

  /**
   * Takes the delivery back: the signal is aborted, and the outcome is `abandoned` whatever the handler does. Does nothing when the
   * outcome is known already; an attempt that has exceeded its deadline fails immediately.
   */
  abandon(reason: Error): void {
    if (this.#overrun !== undefined) this.#settle(this.#overrun);
    if (this.isAborted) return;
    this.#abortReason = reason;
    this.#settle({ kind: 'abandoned' });
    this.#controller?.abort(reason);
  }

  /** Resolves when the handler has really ended, which after `abandon` is later than its outcome. */
  get handlerEnded(): Promise<void> {
    return Promise.resolve(this.#running).then(ignore, ignore);
  }

  /** Resolves when the handler has ended or, `abortGraceMs` after its signal was aborted, is given up. */
  handlerReleased(): Promise<void> {
    if (this.#isGivenUp) return Promise.resolve();
    if (!this.isAborted) return this.handlerEnded;
    return new Promise((resolve) => {
      const timer = startTimer(() => {
        this.#isGivenUp = true;
        resolve();
      }, this.#graceMs).unref();
      void this.handlerEnded.then(() => {
        stopTimer(timer);
        resolve();
      });
    });
  }

  /**
   * For the pipeline: call it before the handler; `decide` receives the outcome, once. Returns false when the delivery was taken back
   * before: then the handler must not be called.
   */
  begin(terms: DeliveryTerms<this>, decide: Decide<this>): boolean {
    this.#decide = decide;
    this.#terms = terms;
    this.#timeoutMs = terms.handlerTimeoutMs;
    if (this.#abortReason === undefined) return true;
    this.#settle({ kind: 'abandoned' });
    return false;
  }

  /**
   * For the pipeline: the handler returned a promise. The timer of `begin` is only set when the handler outlives this turn of the event
   * loop. Returns whether the outcome is known already: the handler settled its message itself.
   */
  wait(running: PromiseLike<unknown>): boolean {
    this.#running = running;
    if (this.#decide === undefined) return true;
    if (this.#timeoutMs > 0 && this.#timer === undefined) watchSoon(this);
    return false;
  }

  /** For the pipeline: the handler ended. Its outcome counts unless the delivery was interrupted before. */
  end(outcome: Outcome): void {
    if (this.#isGivenUp) this.#terms?.onLate?.(outcome, this);
    else this.#settle(this.#overrun ?? outcome);
  }

  /** The handler settles its message itself. This counts unless the attempt is over. */
  protected decideNow(outcome: Outcome): void {
    this.#settle(outcome);
  }

  /** For the pipeline: sets the timer of a handler that is still running. */
  watch(): void {
    if (this.#decide !== undefined && this.#timer === undefined) this.extend();
  }

  get #graceMs(): number {
    return this.#terms?.abortGraceMs ?? defaultAbortGraceMs;
  }

  #exceed(): void {
    const error = new DeadlineExceededError(this.describe(), this.#timeoutMs);
    const overrun: Outcome = { kind: 'failed', error };
    this.#abortReason = error;
    this.#overrun = overrun;
    this.#timer = startTimer(() => {
      this.#isGivenUp = true;
      this.#settle(overrun);
    }, this.#graceMs);
    this.#controller?.abort(error);
  }

  #settle(outcome: Outcome): void {
    if (this.#timer !== undefined) stopTimer(this.#timer);
    const decide = this.#decide;
    this.#decide = undefined;
    // Until the handler has returned a promise it is being started.
    decide?.(outcome, this, this.#running === undefined);
  }
}

/** How long a handler may run after its signal was aborted because of its deadline, unless its consumer sets another value. */
export const defaultAbortGraceMs = 5000;

/** How much time a delivery has. */
export interface DeliveryTerms<C> {
  /** How long the handler may take, in ms; 0 means without limit. */
  readonly handlerTimeoutMs: number;
  /** How long the handler may run after that, in ms, before its attempt is given up. Default 5,000. */
  readonly abortGraceMs?: number | undefined;
  /** Receives the outcome of a handler that ended after its attempt had been given up. Must not throw. */
  onLate?(outcome: Outcome, context: C): void;
}

/**
 * Receives the outcome of a context. `endedAtStart`: the handler was still being started, so that its caller has noted nothing of it yet.
 * Written as a method, so that a subtype of DeliveryContext is assignable to it.
 */
export type Decide<C> = { decide(outcome: Outcome, context: C, endedAtStart: boolean): void }['decide'];

// Most handlers end within the turn of the event loop that started them, and need no timer: see docs/decisions/0008.
let young: DeliveryContext[] = [];

function watchSoon(context: DeliveryContext): void {
  if (young.length === 0) setImmediate(watchYoung);
  young.push(context);
}

function watchYoung(): void {
  const contexts = young;
  young = [];
  for (const context of contexts) context.watch();
}

function ignore(): void {}
