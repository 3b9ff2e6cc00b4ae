import { startTimer, stopTimer, type Timer } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';

const firstRetryDelayMs = 50;
const maxRetryDelayMs = 1000;

/** What a loop makes turns with. */
export interface TurnLoopContext {
  /** Whether there is a registration to make turns for. */
  mayTurn(): boolean;
  /** Whether a turn is under way that no call of `turn` has waited for. */
  isAhead(): boolean;
  /** Makes one turn. */
  turn(): Promise<void>;
  /** A turn was rejected; it is made again. */
  failed(error: unknown): void;
  /** No further turn follows for now. */
  rested(): void;
}

/**
 * Decides when a consumer makes a turn: one at a time, as long as one is requested. After a turn that failed it waits for a delay, or
 * until Redis is back.
 *
 *     at rest ──now, nudge──▶ running ──nothing asked──▶ at rest
 *                                │ ▲
 *                          failed▼ │after a delay, Redis is up
 *                              waiting
 */
export class TurnLoop {
  readonly #connection: RedisConnection;
  readonly #context: TurnLoopContext;
  #isAsked = false;
  #running: Promise<void> | undefined;
  /** Callers that wait for the next run to end. */
  readonly #waiters: (() => void)[] = [];
  #isEnded = false;
  #failures = 0;
  #retryTimer: Timer | undefined;

  constructor(connection: RedisConnection, context: TurnLoopContext) {
    this.#connection = connection;
    this.#context = context;
    connection.on('up', this.#tryAgain);
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Whether it waits after a turn that failed. */
  get isRetrying(): boolean {
    return this.#retryTimer !== undefined;
  }

  /** Whether turns are being made now. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Asks for a turn now, or when the one under way ends. */
  now(): void {
    this.#isAsked = true;
    if (this.#mayRun()) this.#running = this.#run();
  }

  /** Asks for a turn at the end of this tick, so that everything that ends in it shares one, or when the one under way ends. */
  nudge(): void {
    this.#isAsked = true;
    if (this.#mayRun()) this.#running = new Promise(setImmediate).then(() => this.#run());
  }

  /** Resolves when no turn is under way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Makes turns until it is done, or there is no registration; returns by the deadline, done or not. */
  async until(isDone: () => boolean, deadlineMs: number): Promise<void> {
    let timer: Timer | undefined;
    const deadline = new Promise<boolean>((resolve) => {
      timer = startTimer(resolve, deadlineMs, true);
    });
    let isLate = false;
    while (!isLate && !isDone() && this.#context.mayTurn()) {
      this.nudge();
      isLate = (await Promise.race([this.#ran(), deadline])) === true;
    }
    stopTimer(timer);
  }

  /** Makes no further turn at all. */
  end(): void {
    this.#isEnded = true;
    this.#connection.off('up', this.#tryAgain);
    stopTimer(this.#retryTimer);
  }

  /** Resolves when a run has ended, successfully or not: the one under way, or the next. */
  #ran(): Promise<void> {
    return this.#running ?? new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Without a registration a run would end before it is recorded as running. */
  #mayRun(): boolean {
    return this.#running === undefined && !this.isRetrying && !this.#isEnded && this.#context.mayTurn();
  }

  async #run(): Promise<void> {
    while ((this.#isAsked || this.#context.isAhead()) && !this.#isEnded && this.#context.mayTurn()) {
      this.#isAsked = false;
      try {
        await this.#context.turn();
        this.#failures = 0;
      } catch (error) {
        this.#retryLater();
        if (!this.#isEnded) this.#context.failed(error);
        break;
      }
    }
    this.#running = undefined;
    for (const ended of this.#waiters.splice(0)) ended();
    this.#context.rested();
  }

  #retryLater(): void {
    this.#isAsked = true;
    const delayMs = Math.min(firstRetryDelayMs * 2 ** this.#failures++, maxRetryDelayMs);
    this.#retryTimer = startTimer(this.#tryAgain, delayMs);
  }

  readonly #tryAgain = (): void => {
    if (this.#retryTimer === undefined) return;
    stopTimer(this.#retryTimer);
    this.#retryTimer = undefined;
    if (this.#isAsked) this.nudge();
  };
}
