import { ClosedError, startTimer, stopTimer, WriteError } from '@millrace/core';

/**
 * Counts the bytes of records that wait for Redis, up to a limit. Callers beyond it queue, first come first served:
 * overtaking would break the order of a producer's records.
 */
export class SendBuffer {
  readonly #limit: number;
  #bytes = 0;
  #last: Promise<void> = Promise.resolve();
  #queued = 0;
  #whenRoom: (() => void) | undefined;
  #isClosed = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** No caller waits, so a caller whose bytes fit need not wait either. */
  get isFree(): boolean {
    return this.#queued === 0;
  }

  /** Takes the bytes immediately, or returns false: the caller must queue. A record of any size is admitted when the buffer is empty. */
  take(bytes: number): boolean {
    if (this.#bytes > 0 && this.#bytes + bytes > this.#limit) return false;
    this.#bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
    this.#whenRoom?.();
  }

  /** Runs `work` after all callers that came before. */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const previous = this.#last;
    let end = (): void => undefined;
    this.#last = new Promise((resolve) => {
      end = resolve;
    });
    this.#queued++;
    try {
      await previous;
      if (this.#isClosed) throw new ClosedError('the producer');
      return await work();
    } finally {
      this.#queued--;
      end();
    }
  }

  /** Takes the bytes as soon as there is room. Only callable from within `inTurn`. @throws {WriteError} there is no room by `deadline` */
  async waitForRoom(bytes: number, deadline: number): Promise<void> {
    for (;;) {
      if (this.#isClosed) throw new ClosedError('the producer');
      const restMs = deadline - performance.now();
      if (restMs <= 0) {
        const message = `the producer's buffer had no room in time: ${this.#bytes} bytes wait for Redis (maxBufferedBytes ${this.#limit}).`;
        throw new WriteError(message, { failure: 'timeout', mayBeWritten: false });
      }
      if (this.take(bytes)) return;
      await this.#room(restMs);
    }
  }

  /** Rejects all queued callers. */
  close(): void {
    this.#isClosed = true;
    this.#whenRoom?.();
  }

  /** Resolves when all callers that queue now have had their turn. */
  settled(): Promise<void> {
    return this.#last;
  }

  #room(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        stopTimer(timer);
        this.#whenRoom = undefined;
        resolve();
      };
      const timer = startTimer(go, timeoutMs);
      this.#whenRoom = go;
    });
  }
}
