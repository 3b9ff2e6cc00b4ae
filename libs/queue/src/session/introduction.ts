import { hostname } from 'node:os';
import { connectionIdentity, connectionServing, type RedisClient, type RedisConnection } from '@millrace/redis';
import type { ConsumerInfo } from '../store/registration.js';
import type { SessionOptions } from './session-options.js';

/**
 * What Redis stores about a consumer, as JSON: for operators, and for its peers, which notice its death by the end of the connections
 * that it names.
 */
export class Introduction {
  readonly #connection: RedisConnection;
  /** Any key of the shard: determines the server in a cluster. */
  readonly #key: string;
  readonly #options: SessionOptions;
  readonly #wakeClient: () => RedisClient | undefined;
  /** The introduction that Redis has. */
  #sent = '';
  #isStale = true;
  /** The connection to the server of the shard, as it was described last. */
  #described: object | undefined;
  #server = '';

  /** @param wakeClient returns the connection on which the consumer waits for wake-ups */
  constructor(
    connection: RedisConnection,
    key: string,
    options: SessionOptions,
    wakeClient: () => RedisClient | undefined,
  ) {
    this.#connection = connection;
    this.#key = key;
    this.#options = options;
    this.#wakeClient = wakeClient;
  }

  /** Run id of the server of its connections; '' when unknown. */
  get server(): string {
    return this.#server;
  }

  /**
   * Whether peers may check the wrong server. When a slot moves to a server that the process is already connected to,
   * it does not reconnect: a peer that checks there for the connections to the old server takes a live consumer for dead.
   */
  get isStale(): boolean {
    return this.#isStale || this.#described !== connectionServing(this.#connection.commands, this.#key);
  }

  /** A connection is a new one, or Redis may not know the present ones. */
  outdate(): void {
    this.#isStale = true;
  }

  /** For a new registration. */
  async whole(): Promise<string> {
    this.#sent = await this.#describe();
    return this.#sent;
  }

  /** For a heartbeat: '' when Redis has it already. */
  async change(): Promise<string> {
    if (!this.isStale) return '';
    const info = await this.#describe();
    return info === this.#sent ? '' : info;
  }

  /** Redis has what `change` resolved to. */
  arrived(info: string): void {
    if (info !== '') this.#sent = info;
  }

  async #describe(): Promise<string> {
    this.#isStale = false;
    this.#described = connectionServing(this.#connection.commands, this.#key);
    const wake = this.#wakeClient();
    const clients = wake === undefined ? [this.#connection.commands] : [this.#connection.commands, wake];
    const ids = (await Promise.all(clients.map((client) => connectionIdentity(client, this.#key)))).filter(
      (id) => id !== undefined,
    );
    this.#server = ids[0]?.server ?? '';
    const connections = ids.filter(({ server }) => server === this.#server).map(({ id }) => id);
    const { concurrency, prefetch = concurrency, queue, name = queue } = this.#options;
    const where = { host: hostname(), pid: process.pid };
    const info: ConsumerInfo = { name, ...where, concurrency, prefetch, connections, server: this.#server };
    return JSON.stringify(info);
  }
}
