import type { Redis } from '@millrace/redis';
import type { ClientOptions } from './redis-clients.js';
import type { RedisServerOptions } from './redis-options.js';
import { askRedis } from './redis-question.js';
import type { RedisServer } from './redis-server.js';
import { startRedis } from './start-redis.js';
import { orStop, startTogether, stopTogether } from './started.js';
import { waitFor } from './wait-for.js';

/** How a primary and its replicas are started. The other options go to every server. */
export interface ReplicatedOptions extends Omit<RedisServerOptions, 'dir' | 'port'> {
  /** How many replicas. Default 1. */
  readonly replicas?: number;
}

/** Starts a primary and its replicas, and waits until every replica has the primary's data and follows it. */
export async function startReplicated(options: ReplicatedOptions = {}): Promise<Replicated> {
  const { replicas = 1, ...shared } = options;
  const [first, ...others] = Array.from({ length: replicas + 1 }, () => startRedis(shared));
  if (first === undefined) throw new RangeError(`startReplicated: replicas must be at least 0, got ${replicas}`);
  const servers = await startTogether([first, ...others]);
  const replicated = new Replicated(servers, await first);
  return orStop(servers, async () => {
    await replicated.failOver(await first);
    return replicated;
  });
}

/** A primary with its replicas. Made by `startReplicated`. */
export class Replicated {
  /** All of them, whichever is the primary. */
  readonly servers: readonly RedisServer[];
  #primary: RedisServer;

  constructor(servers: readonly RedisServer[], primary: RedisServer) {
    this.servers = servers;
    this.#primary = primary;
  }

  /** The server that was made primary: at the start, or by `failOver`. (Sentinel has its own idea: `Sentinels.primary`.) */
  get primary(): RedisServer {
    return this.#primary;
  }

  /** All the others. */
  get replicas(): readonly RedisServer[] {
    return this.servers.filter((server) => server !== this.#primary);
  }

  /** The password of all its servers; undefined without one. */
  get password(): string | undefined {
    return this.#primary.password;
  }

  /** A client of the primary of this moment; it does not follow a failover. */
  client(options: ClientOptions = {}): Redis {
    return this.#primary.client(options);
  }

  /**
   * Makes another server the primary and lets all that run follow it, as an operator would. What the new primary had
   * not received yet is lost, as after any failover of Redis.
   */
  async failOver(to: RedisServer): Promise<void> {
    this.#primary = to;
    await askRedis(to, ['REPLICAOF', 'NO', 'ONE']);
    const followers = this.replicas.filter((server) => server.isRunning);
    await Promise.all(followers.map((server) => askRedis(server, ['REPLICAOF', '127.0.0.1', String(to.peerPort)])));
    await this.waitUntilLinked();
  }

  /**
   * This replica hears no more from the primary: what is written from now on is lost when it takes over. (Freezing it
   * is not enough: what the primary has sent waits in its socket.) `failOver` lets it follow again.
   */
  async cutOff(replica: RedisServer): Promise<void> {
    // Nobody listens on port 1. A replica that was promoted instead would start a history of its own.
    await askRedis(replica, ['REPLICAOF', '127.0.0.1', '1']);
  }

  /** Waits until every replica that runs follows the primary: from then on `WAIT` counts it. */
  async waitUntilLinked(): Promise<void> {
    const followers = this.replicas.filter((server) => server.isRunning);
    await waitFor(() => isFollowed(this.#primary, followers), {
      what: `${followers.length} replicas to follow the primary on port ${this.#primary.port}`,
      timeoutMs: 30_000,
    });
  }

  /** Stops every server and removes their data. Stopping twice is harmless. */
  async stop(): Promise<void> {
    await stopTogether(this.servers);
  }
}

/** Whether all these replicas have the primary's data and get what is written to it. */
export async function isFollowed(primary: RedisServer, replicas: readonly RedisServer[]): Promise<boolean> {
  const online = (await askRedis(primary, ['INFO', 'replication'])).match(/state=online/g)?.length ?? 0;
  const infos = await Promise.all(replicas.map((server) => askRedis(server, ['INFO', 'replication'])));
  return online >= replicas.length && infos.every((info) => info.includes('master_link_status:up'));
}
