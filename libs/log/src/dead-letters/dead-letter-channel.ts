import { WriteError } from '@millrace/core';
import { canWaitForDisk, type RedisClient, type RedisConnection } from '@millrace/redis';
import { type Copy, type CopyReply, copyOnce, copyWithReplicas } from '../store/copy.js';

/** How many replicas must have a dead letter before its record is finished, and for how long they may take. */
export interface DeadLetterDemand {
  readonly minReplicas: number;
  readonly replicaTimeoutMs: number;
}

/**
 * How dead letters reach Redis: over the shared connection; or, where replicas must have them, over a connection of
 * their own, opened for the first one: WAIT blocks the connection that it is called on, and counts what was written on it.
 */
export class DeadLetterChannel {
  readonly #connection: RedisConnection;
  readonly #demand: DeadLetterDemand;
  #opening: Promise<{ readonly client: RedisClient; readonly isOnDisk: boolean }> | undefined;

  constructor(connection: RedisConnection, demand: DeadLetterDemand) {
    this.#connection = connection;
    this.#demand = demand;
  }

  /** @throws {WriteError} `not-enough-replicas`: Redis has it, but too few replicas do; copy it again */
  async copy(to: Copy): Promise<CopyReply> {
    const { commands, prefix } = this.#connection;
    const { minReplicas, replicaTimeoutMs: timeoutMs } = this.#demand;
    if (minReplicas === 0) return copyOnce(commands, prefix, to);
    this.#opening ??= this.#open();
    const { client, isOnDisk } = await this.#opening;
    const reply = await copyWithReplicas(client, prefix, to, { minReplicas, timeoutMs, isOnDisk });
    if (reply.kind !== 'unconfirmed') return reply;
    const message = `a dead letter for topic "${to.topic}", partition ${to.partition}: ${reply.confirmations}.`;
    throw new WriteError(message, { failure: 'not-enough-replicas', mayBeWritten: true });
  }

  close(): void {
    this.#opening?.then(
      ({ client }) => this.#connection.release(client),
      () => undefined,
    );
    this.#opening = undefined;
  }

  /** If asking the server what it can do fails on a connection, the next dead letter asks again. */
  async #open(): Promise<{ readonly client: RedisClient; readonly isOnDisk: boolean }> {
    const client = await this.#connection.blocking('dead-letters');
    try {
      return { client, isOnDisk: await canWaitForDisk(client) };
    } catch (error) {
      this.#opening = undefined;
      this.#connection.release(client);
      throw error;
    }
  }
}
