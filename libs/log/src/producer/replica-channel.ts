import { UnavailableError } from '@millrace/core';
import {
  becomesReady,
  canWaitForDisk,
  type RedisClient,
  type RedisConnection,
  type ReplicaDemand,
} from '@millrace/redis';
import { type Append, appendWithReplicas } from '../store/append.js';
import type { PartitionKeys } from '../store/keys.js';
import type { AppendChannel, ChannelReply } from './append-channel.js';

/**
 * Appends and then waits for replicas, over its own connection: WAIT blocks the connection that it is called on,
 * and counts what was written on that connection.
 */
export class ReplicaChannel implements AppendChannel {
  readonly #connection: RedisConnection;
  readonly #minReplicas: number;
  readonly #timeoutMs: number;
  #opening: Promise<RedisClient> | undefined;
  #client: RedisClient | undefined;
  #canWaitForDisk = false;
  #waiting: Promise<void> | undefined;
  #isClosed = false;

  constructor(
    connection: RedisConnection,
    demand: { readonly minReplicas: number; readonly replicaTimeoutMs: number },
  ) {
    this.#connection = connection;
    this.#minReplicas = demand.minReplicas;
    this.#timeoutMs = demand.replicaTimeoutMs;
  }

  get isUp(): boolean {
    return this.#client?.status === 'ready';
  }

  get isClosed(): boolean {
    return this.#isClosed || this.#connection.isClosed;
  }

  get client(): RedisClient {
    return this.#client ?? this.#connection.commands;
  }

  whenUp(timeoutMs: number): Promise<void> {
    this.#waiting ??= this.#whenUp(timeoutMs).finally(() => {
      this.#waiting = undefined;
    });
    return this.#waiting;
  }

  append(keys: PartitionKeys, batch: Append): Promise<ChannelReply> {
    if (this.#client === undefined) return Promise.reject(new UnavailableError('the connection is not open yet.'));
    const demand: ReplicaDemand = {
      minReplicas: this.#minReplicas,
      timeoutMs: this.#timeoutMs,
      isOnDisk: this.#canWaitForDisk,
    };
    return appendWithReplicas(this.#client, keys, batch, demand);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#client !== undefined) this.#connection.release(this.#client);
    else
      this.#opening?.then(
        (client) => this.#connection.release(client),
        () => undefined,
      );
  }

  async #whenUp(timeoutMs: number): Promise<void> {
    this.#opening ??= this.#connection.blocking('replicas');
    const client = await this.#opening;
    if (client.status !== 'ready') await becomesReady(client, timeoutMs);
    if (client.status !== 'ready' || this.#client !== undefined) return;
    this.#canWaitForDisk = await canWaitForDisk(client).catch(() => false);
    this.#client = client;
  }
}
