import { startTimer, stopTimer, type Timer } from '@millrace/core';
import { type RedisClient, writtenTogether } from '@millrace/redis';
import type { PartitionWorker } from '../partition/partition-worker.js';

/** Commits what is done within `intervalMs`, with one command per partition, however many records it covers. */
export class Committer {
  readonly #intervalMs: number;
  readonly #client: RedisClient;
  readonly #workers: () => Iterable<PartitionWorker>;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(intervalMs: number, client: RedisClient, workers: () => Iterable<PartitionWorker>) {
    this.#intervalMs = intervalMs;
    this.#client = client;
    this.#workers = workers;
  }

  soon(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    this.#timer = startTimer(() => {
      this.#timer = undefined;
      void this.now();
    }, this.#intervalMs);
  }

  /** Commits everything that is done. What fails is tried again at the next interval. */
  async now(): Promise<void> {
    const commits: Promise<boolean>[] = [];
    writtenTogether(this.#client, () => {
      for (const worker of this.#workers()) if (worker.offsets.isDirty) commits.push(this.commit(worker));
    });
    await Promise.all(commits);
  }

  /** True unless Redis did not reply. What it refuses is reported to the worker's context. */
  async commit(worker: PartitionWorker): Promise<boolean> {
    try {
      await worker.offsets.commit();
      return true;
    } catch {
      // Redis is unreachable, which is reported elsewhere. What is still uncommitted schedules the next commit itself.
      return false;
    }
  }

  close(): void {
    this.#isClosed = true;
    stopTimer(this.#timer);
  }
}
