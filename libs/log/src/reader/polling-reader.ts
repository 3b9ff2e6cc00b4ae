import type { RedisConnection } from '@millrace/redis';
import type { Fetch } from '../store/fetch.js';
import { type BatchReader, type ReadResult, readEach } from './batch-reader.js';

const firstRestMs = 2;
const maxRestMs = 50;

/**
 * For a cluster: each partition has its slot, and no command may span two, so each is read by its own command, in one pipeline per
 * node. With nothing new it rests, for increasing times up to 50 ms.
 */
export class PollingReader implements BatchReader {
  readonly #connection: RedisConnection;
  #restMs = 0;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async read(fetches: readonly Fetch[], count: number): Promise<ReadResult> {
    const { streams, failures } = await readEach(this.#connection, fetches, count);
    this.#restMs = streams.size > 0 ? 0 : Math.min(Math.max(this.#restMs * 2, firstRestMs), maxRestMs);
    return { streams, failures, restMs: this.#restMs };
  }

  interrupt(): void {}

  reconnect(): void {}

  close(): void {}
}
