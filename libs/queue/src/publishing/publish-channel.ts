import { canWaitForDisk, type RedisClient, type RedisConnection } from '@millrace/redis';
import type { BrokerOptions } from '../broker-options.js';
import { type PublishAnswer, type PublishCall, publish, publishWithReplicas } from '../store/publish.js';

/**
 * How calls reach Redis: over the shared connection; or, where replicas must have what is confirmed, over
 * a connection of their own: WAIT blocks the connection that it is called on, and counts what was written on that connection.
 */
export class PublishChannel {
  readonly #connection: RedisConnection;
  readonly #options: Pick<BrokerOptions, 'minReplicas' | 'replicaTimeoutMs'>;
  #waiting: Promise<{ readonly client: RedisClient; readonly isOnDisk: boolean }> | undefined;

  constructor(connection: RedisConnection, options: Pick<BrokerOptions, 'minReplicas' | 'replicaTimeoutMs'>) {
    this.#connection = connection;
    this.#options = options;
  }

  async publish(call: PublishCall): Promise<PublishAnswer> {
    const { minReplicas, replicaTimeoutMs: timeoutMs } = this.#options;
    if (minReplicas === 0) return publish(this.#connection.commands, call);
    this.#waiting ??= this.#open();
    const { client, isOnDisk } = await this.#waiting;
    return publishWithReplicas(client, call, { minReplicas, timeoutMs, isOnDisk });
  }

  close(): void {
    this.#waiting?.then(
      ({ client }) => this.#connection.release(client),
      () => undefined,
    );
  }

  /** If asking the server what it can do fails on a connection, the next call asks again. */
  async #open(): Promise<{ readonly client: RedisClient; readonly isOnDisk: boolean }> {
    const client = await this.#connection.blocking('replicas');
    try {
      return { client, isOnDisk: await canWaitForDisk(client) };
    } catch (error) {
      this.#waiting = undefined;
      this.#connection.release(client);
      throw error;
    }
  }
}
