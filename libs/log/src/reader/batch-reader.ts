import { messageOf } from '@millrace/core';
import { maxBlockMs, Redis, type RedisClient, type RedisConnection, redisFailure } from '@millrace/redis';
import { connectionId, endWait, type Fetch, FetchKeys, fetchOne, fetchTogether } from '../store/fetch.js';
import type { StoredBatch } from '../store/read.js';

/** What was read, by the key of its stream, and how long to rest before reading again. */
export interface ReadResult {
  readonly streams: ReadonlyMap<string, readonly StoredBatch[]>;
  /** Keys that could not be read while others could, with their errors. */
  readonly failures?: ReadonlyMap<string, unknown> | undefined;
  readonly restMs: number;
}

/** Reads new batches of several partitions. */
export interface BatchReader {
  /** @param count the most batches per partition */
  read(fetches: readonly Fetch[], count: number): Promise<ReadResult>;
  /** Ends the read that is under way, if there is one. */
  interrupt(): void;
  /** Ends the read that is under way, and reads over a new connection from now on. */
  reconnect(): void;
  close(): void;
}

const nothing: ReadResult = { streams: new Map(), restMs: 0 };

/** Used without the right to end a wait: waits are short instead. */
const blockWithoutRightMs = 50;

/**
 * A read of many partitions costs the same whatever it brings: with 1,000, two milliseconds of Redis and one of the
 * process. So the next one begins a little later, and brings more: with 1,000 partitions 2 ms later, and up to 60 ms after one
 * that brought 600 kB, which take a while to handle. With fewer than 17 partitions it begins immediately.
 */
const restPerPartitionMs = 0.002;
const bytesPerRest = 20_000;
const mostRests = 30;

/** How many times to retry ending a wait that has not begun: a few milliseconds, unless the server does not know the connection. */
const maxTries = 200;

/** For one server: reads all partitions in one command, which blocks until one of them has something. */
export class BlockingReader implements BatchReader {
  readonly #connection: RedisConnection;
  readonly #keys = new FetchKeys();
  #client: RedisClient | undefined;
  #clientId: number | undefined;
  #isReading = false;
  #isWaiting = false;
  #isInterrupted = false;
  #isClosed = false;
  #mayInterrupt = true;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async read(fetches: readonly Fetch[], count: number): Promise<ReadResult> {
    this.#isReading = true;
    try {
      const client = await this.#open();
      if (this.#isInterrupted || this.#isClosed) return nothing;
      this.#isWaiting = true;
      const blockMs = this.#mayInterrupt ? maxBlockMs : blockWithoutRightMs;
      const streams = await fetchTogether(client, fetches, { keys: this.#keys, count, blockMs });
      return { streams, restMs: restAfter(fetches, streams) };
    } catch (error) {
      if (this.#isInterrupted) return nothing;
      if (isWrongType(error)) return readEach(this.#connection, fetches, count);
      throw error;
    } finally {
      this.#isReading = false;
      this.#isWaiting = false;
      this.#isInterrupted = false;
    }
  }

  interrupt(): void {
    if (!this.#isReading || this.#isInterrupted) return;
    this.#isInterrupted = true;
    if (this.#isWaiting) void this.#endWait();
  }

  reconnect(): void {
    if (this.#isReading) this.#isInterrupted = true;
    this.#release();
  }

  close(): void {
    this.#isClosed = true;
    this.#release();
  }

  #release(): void {
    if (this.#client !== undefined) this.#connection.release(this.#client);
    this.#client = undefined;
    this.#clientId = undefined;
  }

  async #open(): Promise<RedisClient> {
    if (this.#client === undefined) {
      const client = await this.#connection.blocking('fetch');
      client.on('close', () => {
        this.#clientId = undefined;
      });
      this.#client = client;
      if (this.#isClosed) this.close();
    }
    if (this.#clientId === undefined && this.#client instanceof Redis) {
      this.#clientId = await connectionId(this.#client);
    }
    return this.#client ?? this.#connection.commands;
  }

  /** The two commands use two connections: the wait may begin after the command that ends it, so that one is repeated. */
  async #endWait(): Promise<void> {
    const { commands } = this.#connection;
    try {
      for (let tries = 1; this.#isWaiting && this.#isInterrupted && this.#clientId !== undefined; tries++) {
        if (!(commands instanceof Redis)) return;
        // After a failover the two connections may lead to two servers.
        if (tries > maxTries) return this.reconnect();
        await endWait(commands, this.#clientId);
      }
    } catch (error) {
      // With the connection lost, the wait ends by itself.
      if (redisFailure(error).failure === 'denied') this.#mayInterrupt = false;
    }
  }
}

/** One of the keys is not a stream: then Redis reads none of them. */
function isWrongType(error: unknown): boolean {
  return messageOf(error).startsWith('WRONGTYPE');
}

/** Reads partitions one by one, so that one that cannot be read does not block the others. @throws when none can be read */
export async function readEach(
  connection: RedisConnection,
  fetches: readonly Fetch[],
  count: number,
): Promise<ReadResult> {
  const streams = new Map<string, StoredBatch[]>();
  const failures = new Map<string, unknown>();
  const replies = await Promise.allSettled(fetches.map((fetch) => fetchOne(connection.commands, fetch, count)));
  for (const [index, reply] of replies.entries()) {
    if (reply.status === 'fulfilled') for (const [key, batches] of reply.value) streams.set(key, batches);
    else if (isWrongType(reply.reason)) failures.set(fetches[index]?.records ?? '', reply.reason);
  }
  // One node of a cluster may be unreachable while the others work.
  const outage = replies.find((reply) => reply.status === 'rejected' && !isWrongType(reply.reason));
  if (outage?.status === 'rejected' && streams.size === 0) throw outage.reason;
  return { streams, failures, restMs: 0 };
}

function restAfter(fetches: readonly Fetch[], streams: ReadResult['streams']): number {
  let bytes = 0;
  for (const batches of streams.values()) for (const { frame } of batches) bytes += frame.length;
  const rests = Math.max(1, Math.min(bytes / bytesPerRest, mostRests));
  return Math.floor(fetches.length * restPerPartitionMs * rests);
}
