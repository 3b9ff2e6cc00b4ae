import type { RedisClient, RedisConnection } from '@millrace/redis';
import { type Append, type AppendReply, appendBatch } from '../store/append.js';
import type { PartitionKeys } from '../store/keys.js';

/** The result of an append, and whether enough replicas have it. */
export type ChannelReply = AppendReply | { readonly kind: 'unconfirmed'; readonly confirmations: string };

/** A producer's connection to Redis. */
export interface AppendChannel {
  readonly isUp: boolean;
  readonly isClosed: boolean;
  readonly client: RedisClient;
  /** Resolves when it is up, or after `timeoutMs`. */
  whenUp(timeoutMs: number): Promise<void>;
  append(keys: PartitionKeys, batch: Append): Promise<ChannelReply>;
  close(): void;
}

/** Appends over the shared connection. */
export class SharedChannel implements AppendChannel {
  readonly #connection: RedisConnection;
  #waiting: Promise<void> | undefined;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  get isUp(): boolean {
    return this.#connection.isUp;
  }

  get isClosed(): boolean {
    return this.#connection.isClosed;
  }

  get client(): RedisClient {
    return this.#connection.commands;
  }

  /** All partitions wait together: one listener, however many they are. */
  whenUp(timeoutMs: number): Promise<void> {
    this.#waiting ??= this.#connection
      .whenReady(timeoutMs)
      .catch(() => undefined)
      .finally(() => {
        this.#waiting = undefined;
      });
    return this.#waiting;
  }

  append(keys: PartitionKeys, batch: Append): Promise<AppendReply> {
    return appendBatch(this.#connection.commands, keys, batch);
  }

  close(): void {}
}
