import type { ProducerBatch } from './producer-batch.js';

/** The numbers of a producer's batches for one partition, by which Redis recognises a repeated batch. */
export class BatchNumbers {
  #epoch = 0;
  #next = 0;

  /** Whether any number was given. */
  get areUsed(): boolean {
    return this.#next > 0 || this.#epoch > 0;
  }

  /** Gives a batch its number, unless it has a valid one. */
  give(batch: ProducerBatch): void {
    if (batch.epoch === this.#epoch) return;
    batch.epoch = this.#epoch;
    batch.sequence = this.#next++;
  }

  /** A new epoch: Redis refuses batches of the old one that are still under way, and expects number 0. */
  startOver(): void {
    this.#epoch++;
    this.#next = 0;
  }
}
