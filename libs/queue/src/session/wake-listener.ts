import { startTimer, stopTimer, type Timer } from '@millrace/core';
import { maxBlockMs, onConnection, type RedisClient, type RedisConnection } from '@millrace/redis';
import { nextWakeUp, type WakeUp } from '../store/wake.js';

/**
 * Waits at a queue's wake list, on its own connection, while its consumer is idle. It blocks in Redis, so an idle
 * consumer costs one command in five seconds; only `end` interrupts it.
 */
export class WakeListener {
  readonly #connection: RedisConnection;
  readonly #key: string;
  readonly #woken: (wakeUp: WakeUp) => void;
  #client: RedisClient | undefined;
  #isWaiting = false;
  #isEnded = false;
  #failures = 0;
  #timer: Timer | undefined;

  constructor(connection: RedisConnection, key: string, woken: (wakeUp: WakeUp) => void) {
    this.#connection = connection;
    this.#key = key;
    this.#woken = woken;
  }

  /** @param reconnected is called whenever its connection is a new one */
  async begin(name: string, reconnected: () => void): Promise<void> {
    // A start that failed may be repeated.
    if (this.#client !== undefined) return;
    const client = await this.#connection.blocking(name, { isIdentified: true });
    onConnection(client, 'ready', reconnected);
    if (this.#isEnded) this.#connection.release(client);
    else this.#client = client;
  }

  /** The connection on which it waits: while it is open, the consumer is alive. */
  get client(): RedisClient | undefined {
    return this.#client;
  }

  /** Waits for one wake-up; does nothing when it waits already. */
  wait(afterMs = 0): void {
    if (this.#isWaiting || this.#isEnded || this.#client === undefined) return;
    this.#isWaiting = true;
    if (afterMs === 0) void this.#wait(this.#client);
    else this.#later(afterMs);
  }

  end(): void {
    this.#isEnded = true;
    stopTimer(this.#timer);
    if (this.#client !== undefined) this.#connection.release(this.#client);
  }

  async #wait(client: RedisClient): Promise<void> {
    try {
      const wakeUp = await nextWakeUp(client, this.#key, maxBlockMs);
      this.#failures = 0;
      if (wakeUp === undefined) return this.#later(0);
      this.#isWaiting = false;
      if (!this.#isEnded) this.#woken(wakeUp);
    } catch {
      // Redis is unreachable, or this connection was cut: it reconnects by itself; the heartbeat reports an outage.
      this.#later(Math.min(25 * 2 ** this.#failures++, 1000));
    }
  }

  #later(ms: number): void {
    if (this.#isEnded) return;
    this.#timer = startTimer(() => {
      if (!this.#isEnded && this.#client !== undefined) void this.#wait(this.#client);
    }, ms);
  }
}
