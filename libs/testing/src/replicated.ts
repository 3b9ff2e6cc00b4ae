import type { Redis } from '@millrace/redis';
import type { ClientOptions } from './redis-clients.js';
import type { RedisServerOptions } from './redis-options.js';
import { askRedis } from './redis-question.js';
import type { RedisServer } from './redis-server.js';
import { startRedis } from './start-redis.js';
import { orStop, startTogether, stopTogether } from './started.js';
import { waitFor } from './wait-for.js';

/** The options of a primary and its replicas. The other options apply to every server. */
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

/** A primary with its replicas. Created by `startReplicated`. */
export class Replicated {
  /** All servers, including the primary. */
  readonly servers: readonly RedisServer[];
  #primary: RedisServer;

  constructor(servers: readonly RedisServer[], primary: RedisServer) {
    this.servers = servers;
    this.#primary = primary;
  }

  /** The primary since the start or the last `failOver`. (With Sentinel, use `Sentinels.primary`.) */
  get primary(): RedisServer {
    return this.#primary;
  }

  /** All other servers. */
  get replicas(): readonly RedisServer[] {
    return this.servers.filter((server) => server !== this.#primary);
  }

  /** The password of all its servers; undefined without one. */
  get password(): string | undefined {
    return this.#primary.password;
  }

  /** A client of the current primary; it does not follow a failover. */
  client(options: ClientOptions = {}): Redis {
    return this.#primary.client(options);
  }

  /**
   * Makes another server the primary and lets all running servers follow it, as an operator would. Writes that the new primary had not
   * received are lost, as after any failover of Redis.
   */
  async failOver(to: RedisServer): Promise<void> {
    this.#primary = to;
    await askRedis(to, ['REPLICAOF', 'NO', 'ONE']);
    const followers = this.replicas.filter((server) => server.isRunning);
    await Promise.all(followers.map((server) => askRedis(server, ['REPLICAOF', '127.0.0.1', String(to.peerPort)])));
    await this.waitUntilLinked();
  }

  /**
   * Disconnects a replica from the primary: later writes are lost when the replica takes over. (Freezing it is not enough: data from the
   * primary waits in its socket.) `failOver` lets it follow again.
   */
  async cutOff(replica: RedisServer): Promise<void> {
    // No server listens on port 1. Promoting the replica instead would start a new replication history.
    await askRedis(replica, ['REPLICAOF', '127.0.0.1', '1']);
  }

  /** Waits until every running replica follows the primary: from then on `WAIT` counts it. */
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

/** Whether all these replicas have the primary's data and receive its writes. */
export async function isFollowed(primary: RedisServer, replicas: readonly RedisServer[]): Promise<boolean> {
  const online = (await askRedis(primary, ['INFO', 'replication'])).match(/state=online/g)?.length ?? 0;
  const infos = await Promise.all(replicas.map((server) => askRedis(server, ['INFO', 'replication'])));
  return online >= replicas.length && infos.every((info) => info.includes('master_link_status:up'));
}
