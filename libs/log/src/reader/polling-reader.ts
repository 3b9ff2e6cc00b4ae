import type { RedisConnection } from '@millrace/redis';
import { type Fetch, fetchOne } from '../store/fetch.js';
import type { StoredBatch } from '../store/read.js';
import type { BatchReader, ReadResult } from './batch-reader.js';

const firstRestMs = 2;
const maxRestMs = 50;

/**
 * A cluster: each partition has its slot, and no command may span two, so each is asked by itself, in one pipeline a
 * node. With nothing new it rests, for longer and longer up to 50 ms.
 */
export class PollingReader implements BatchReader {
  readonly #connection: RedisConnection;
  #restMs = 0;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async read(fetches: readonly Fetch[], count: number): Promise<ReadResult> {
    const streams = new Map<string, StoredBatch[]>();
    const replies = await Promise.allSettled(fetches.map((fetch) => fetchOne(this.#connection.commands, fetch, count)));
    for (const reply of replies) {
      if (reply.status === 'fulfilled') for (const [key, batches] of reply.value) streams.set(key, batches);
    }
    // One node may be away while the others go on.
    const failure = replies.find((reply) => reply.status === 'rejected');
    if (failure !== undefined && streams.size === 0) throw failure.reason;
    this.#restMs = streams.size > 0 ? 0 : Math.min(Math.max(this.#restMs * 2, firstRestMs), maxRestMs);
    return { streams, restMs: this.#restMs };
  }

  interrupt(): void {}

  reconnect(): void {}

  close(): void {}
}
