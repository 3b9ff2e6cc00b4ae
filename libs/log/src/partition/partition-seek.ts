import { lost } from './partition-offsets.js';
import type { PartitionWorker } from './partition-worker.js';

/** Runs handlers; reports when all have ended. */
interface Busy {
  readonly isIdle: boolean;
  idle(timeoutMs: number): Promise<boolean>;
}

/**
 * Sets the offset of a partition's group by hand: in Redis now, and in this process when running handlers have ended. The call
 * does not wait for that: a handler itself may call it.
 */
export class PartitionSeek {
  readonly #worker: PartitionWorker;
  readonly #inFlight: Busy;
  readonly #restartAt: (offset: number) => void;
  /** Seeks without a reply from Redis. */
  #asked = 0;

  constructor(worker: PartitionWorker, inFlight: Busy, restartAt: (offset: number) => void) {
    this.#worker = worker;
    this.#inFlight = inFlight;
    this.#restartAt = restartAt;
  }

  /** Resolves when Redis has the offset. @throws {LeaseLostError} */
  async to(offset: number): Promise<void> {
    const { holds, offsets, lease } = this.#worker;
    holds.put('seeking');
    this.#asked++;
    try {
      if (this.#worker.isClosed || (await offsets.seek(offset)) === 'lost') throw lost(lease);
      holds.lift('stuck');
    } finally {
      this.#asked--;
      const landing = this.#land();
      if (this.#inFlight.isIdle) await landing;
    }
  }

  async #land(): Promise<void> {
    await this.#inFlight.idle(Number.POSITIVE_INFINITY);
    const { holds, offsets, isClosed } = this.#worker;
    if (isClosed || this.#asked > 0 || !holds.has('seeking')) return;
    const offset = offsets.land();
    if (offset !== undefined) this.#restartAt(offset);
    holds.lift('seeking');
  }
}
