import { PollLoop } from '@millrace/delivery';
import { Cluster, type RedisConnection } from '@millrace/redis';
import type { FetchRequest, PartitionWorker } from '../partition/partition-worker.js';
import { type BatchReader, BlockingReader } from '../reader/batch-reader.js';
import { PollingReader } from '../reader/polling-reader.js';

/** Nothing to ask for: who wants something wakes us; this is only for safety. */
const idleMs = 1000;

/** Reads ahead for all partitions of a member over one connection. With nothing to read it waits and is woken. */
export class Fetcher {
  readonly #workers: () => Iterable<PartitionWorker>;
  readonly #loop: PollLoop;
  readonly #reader: BatchReader;

  constructor(
    connection: RedisConnection,
    workers: () => Iterable<PartitionWorker>,
    onError: (error: unknown) => void,
  ) {
    this.#workers = workers;
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

  /** A partition wants to be read that did not want before: ends the present wait. */
  wake(): void {
    this.#loop.wake();
    this.#reader.interrupt();
  }

  /** Reads over a new connection from now on. */
  reconnect(): void {
    this.#reader.reconnect();
  }

  async #poll(): Promise<number> {
    const asked = new Map<string, { readonly worker: PartitionWorker; readonly request: FetchRequest }>();
    let count = Number.POSITIVE_INFINITY;
    for (const worker of this.#workers()) {
      const request = worker.fetchRequest();
      if (request === undefined) continue;
      asked.set(worker.records, { worker, request });
      count = Math.min(count, request.batches);
    }
    if (asked.size === 0) return idleMs;
    const fetches = [...asked].map(([records, { request }]) => ({ records, offset: request.position }));
    const { streams, restMs } = await this.#reader.read(fetches, count);
    for (const [records, batches] of streams) {
      const fetch = asked.get(records);
      fetch?.worker.feed(fetch.request, batches);
    }
    return restMs;
  }
}
