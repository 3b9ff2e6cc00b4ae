import { isInstance, MillraceError, pause, UnavailableError } from '@millrace/core';
import { type RedisConnection, redisFailure } from '@millrace/redis';
import { MillraceLogger } from './millrace-logger.js';

/** A server that is up but not ready (it loads its data) is tried again after this time. */
const retryDelayMs = 100;

/** How an application's connection reaches Redis for the first time: immediately, or when Redis is there. */
export class FirstConnection {
  readonly #connection: RedisConnection;
  readonly #closing = new AbortController();
  readonly #logger = new MillraceLogger();
  #isWaiting = false;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  /** Whether it waits because Redis is away. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /**
   * Connects. `failed` and `advice` come before and after the reason in the error's message.
   *
   * @throws {UnavailableError} Redis is away; the connection is closed then
   * @throws {UnsupportedServerError} the server cannot give Millrace's guarantees; the connection is closed then
   */
  async open({ failed, advice }: { readonly failed: string; readonly advice: string }): Promise<void> {
    try {
      await this.#connection.open();
    } catch (cause) {
      if (!isInstance(cause, UnavailableError)) throw cause;
      throw new UnavailableError(`${failed}: ${cause.message} ${advice}`, { cause });
    }
  }

  /**
   * Connects as soon as Redis is there, however long that takes.
   *
   * @throws {UnavailableError} `close` was called
   * @throws {UnsupportedServerError} the server cannot give Millrace's guarantees; the connection is closed then
   */
  async wait(): Promise<void> {
    try {
      while (!(await this.#isChecked())) await this.#wait();
    } finally {
      this.#isWaiting = false;
    }
  }

  /** Ends the wait. */
  close(): void {
    this.#closing.abort();
  }

  async #wait(): Promise<void> {
    if (this.#closing.signal.aborted) throw new UnavailableError('the connection to Redis was closed.');
    this.#isWaiting = true;
    try {
      await this.#connection.whenReady(this.#connection.options.connectTimeoutMs);
    } catch {
      if (!this.#closing.signal.aborted) this.#logger.warn(`Waiting for Redis: ${this.#connection.downReason}`);
    }
  }

  /** Resolves to false while Redis is away, also when it is lost during the check. */
  async #isChecked(): Promise<boolean> {
    if (!this.#connection.isUp) return false;
    try {
      await this.#connection.check();
      return true;
    } catch (error) {
      if (!isInstance(error, MillraceError) && redisFailure(error).isTemporary) {
        await pause(retryDelayMs, { signal: this.#closing.signal });
        return false;
      }
      this.#connection.close();
      throw error;
    }
  }
}
