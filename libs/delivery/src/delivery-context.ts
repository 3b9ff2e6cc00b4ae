import { DeadlineExceededError, type Outcome } from '@millrace/core';

/**
 * One attempt to handle one message, as the handler sees it. `log` and `queue` add what they know of the message.
 * The signal is only made when somebody asks for it: most handlers never do.
 */
export abstract class DeliveryContext {
  #controller: AbortController | undefined;
  #abortReason: unknown;
  #timer: NodeJS.Timeout | undefined;
  #timeoutMs = 0;
  #decide: Decide<this> | undefined;
  #running: PromiseLike<unknown> | undefined;

  /** Which attempt this is, from 1. */
  abstract readonly attempt: number;

  /** Which message this is, in words: for errors and logs. */
  abstract describe(): string;

  /** Aborted when the deadline passes, the message is cancelled, or the lease on it is lost. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /** Moves the deadline to `timeoutMs` from now. Default: the handler's own `handlerTimeoutMs`. */
  extend(timeoutMs: number = this.#timeoutMs): void {
    if (this.#decide === undefined || timeoutMs <= 0) return;
    clearTimeout(this.#timer);
    this.#timeoutMs = timeoutMs;
    this.#timer = setTimeout(() => this.#overrun(), timeoutMs);
  }

  /**
   * Takes the delivery back: the signal is aborted, and the outcome is `abandoned` whatever the handler still does.
   * Nothing happens when the outcome is known already.
   */
  abandon(reason: Error): void {
    this.#interrupt(reason, { kind: 'abandoned' });
  }

  /** Settles when user code has really ended, which after an overrun is later than the outcome is known. */
  get handlerEnded(): Promise<void> {
    return Promise.resolve(this.#running).then(ignore, ignore);
  }

  /**
   * For the pipeline: the handler is about to be called; `decide` takes the one outcome.
   * Answers false when the delivery was taken back before: then the handler must not be called.
   */
  begin(timeoutMs: number, decide: Decide<this>): boolean {
    this.#decide = decide;
    this.#timeoutMs = timeoutMs;
    if (this.#abortReason === undefined) return true;
    this.#settle({ kind: 'abandoned' });
    return false;
  }

  /** For the pipeline: the handler answered a promise. The clock that `begin` started is only set when it outlives the turn. */
  wait(running: PromiseLike<unknown>): void {
    this.#running = running;
    if (this.#timeoutMs > 0 && this.#timer === undefined && this.#decide !== undefined) watchSoon(this);
  }

  /** For the pipeline: the handler ended. The outcome counts unless the delivery was interrupted before. */
  end(outcome: Outcome): void {
    this.#settle(outcome);
  }

  /** For the pipeline: sets the timer of a handler that is still running. */
  watch(): void {
    if (this.#decide !== undefined && this.#timer === undefined) this.extend();
  }

  #overrun(): void {
    const error = new DeadlineExceededError(this.describe(), this.#timeoutMs);
    this.#interrupt(error, { kind: 'failed', error });
  }

  #interrupt(reason: unknown, outcome: Outcome): void {
    if (this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    this.#settle(outcome);
    this.#controller?.abort(reason);
  }

  #settle(outcome: Outcome): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    const decide = this.#decide;
    this.#decide = undefined;
    decide?.(outcome, this);
  }
}

/** Takes the outcome of a context. Written as a method, so that a context with more to it still is a DeliveryContext. */
type Decide<C> = { decide(outcome: Outcome, context: C): void }['decide'];

// Most handlers end within the turn of the event loop that started them: a timer for each would cost more than they do.
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
