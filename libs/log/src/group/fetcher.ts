import { PollLoop } from '@millrace/delivery';
import { Cluster, type RedisConnection } from '@millrace/redis';
import type { PartitionWorker } from '../partition/partition-worker.js';
import type { PrefetchShare } from '../partition/prefetch-room.js';
import { type BatchReader, BlockingReader } from '../reader/batch-reader.js';
import { PollingReader } from '../reader/polling-reader.js';

/** Rest while no partition wants to be read. A worker that wants something wakes the fetcher; this is only a safety net. */
const idleMs = 1000;

/** Reads ahead for all partitions of a member over one connection. With nothing to read it waits until it is woken. */
export class Fetcher {
  readonly #workers: () => Iterable<PartitionWorker>;
  readonly #share: () => PrefetchShare;
  readonly #loop: PollLoop;
  readonly #reader: BatchReader;

  constructor(
    connection: RedisConnection,
    workers: () => Iterable<PartitionWorker>,
    share: () => PrefetchShare,
    onError: (error: unknown) => void,
  ) {
    this.#workers = workers;
    this.#share = share;
    this.#reader =
      connection.commands instanceof Cluster ? new PollingReader(connection) : new BlockingReader(connection);
    this.#loop = new PollLoop(() => this.#poll(), onError);
  }

  async start(): Promise<void> {
    await this.#loop.start();
  }

  async stop(): Promise<void> {
    const stopped = this.#loop.stop();
    this.#reader.close();
    await stopped;
  }

  /** A partition wants to be read that did not before: ends the present wait. */
  wake(): void {
    this.#loop.wake();
    this.#reader.interrupt();
  }

  /** Reads over a new connection from now on. */
  reconnect(): void {
    this.#reader.reconnect();
  }

  async #poll(): Promise<number> {
    const asked: PartitionWorker[] = [];
    const positions: number[] = [];
    const share = this.#share();
    let count = Number.POSITIVE_INFINITY;
    for (const worker of this.#workers()) {
      const batches = worker.intake.roomFor(share);
      if (batches === 0) continue;
      asked.push(worker);
      positions.push(worker.readFrom);
      count = Math.min(count, batches);
    }
    if (asked.length === 0) return idleMs;
    const { streams, failures, restMs } = await this.#reader.read(asked, count);
    for (let index = 0; index < asked.length; index++) {
      const batches = streams.get(asked[index]!.records);
      // The partition may have moved to another offset meanwhile.
      if (batches !== undefined) asked[index]!.intake.feed(positions[index]!, batches);
      const failure = failures?.get(asked[index]!.records);
      if (failure !== undefined) asked[index]!.intake.failed(failure);
    }
    return restMs;
  }
}
