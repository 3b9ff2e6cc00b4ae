import { Cluster } from '@millrace/redis';
import { type ClusterNodeView, viewOf } from './cluster-view.js';
import { disconnectTimeout, RedisClients } from './redis-clients.js';
import { askRedis } from './redis-question.js';
import type { RedisServer } from './redis-server.js';
import { moveSlot } from './slot-move.js';
import { forget, remember, stopTogether } from './started.js';
import { waitFor } from './wait-for.js';

/** Options of ioredis' cluster client; the addresses and the password are filled in. */
export type ClusterClientOptions = Omit<Cluster['options'], 'redisOptions' | 'replyMapping'>;

/** A running Redis Cluster. Created by `startCluster`. */
export class RedisCluster {
  /** All nodes: first the ones that started as masters, then their replicas in the same order. */
  readonly servers: readonly RedisServer[];
  readonly #masterCount: number;
  readonly #clients = new RedisClients();

  constructor(servers: readonly RedisServer[], masterCount: number) {
    this.servers = servers;
    this.#masterCount = masterCount;
    remember(this);
  }

  /** The nodes that were masters at the start; after a failover, use `masterOf`. */
  get masters(): readonly RedisServer[] {
    return this.servers.slice(0, this.#masterCount);
  }

  /** The nodes that were replicas at the start. */
  get replicas(): readonly RedisServer[] {
    return this.servers.slice(this.#masterCount);
  }

  /** The password of all its servers; undefined without one. */
  get password(): string | undefined {
    return this.servers[0]?.password;
  }

  /** The options with which `connect` of @millrace/redis reaches it. */
  get connection() {
    const nodes = this.servers.map(({ host, port }) => ({ host, port }));
    return { cluster: { nodes }, ...(this.password === undefined ? {} : { password: this.password }) };
  }

  /** A client of the whole cluster; it is closed when the cluster stops. */
  client(options: ClusterClientOptions = {}): Cluster {
    const { cluster, password } = this.connection;
    const client = new Cluster(cluster.nodes, {
      clusterRetryStrategy: () => 50,
      ...options,
      redisOptions: { disconnectTimeout, ...(password === undefined ? {} : { password }) },
    });
    return this.#clients.track(client);
  }

  /** The master that serves the slot of this key now, by the newest view of the responsive nodes. */
  async masterOf(key: string): Promise<RedisServer> {
    const slot = await this.#slotOf(key);
    const serves = ({ slots }: ClusterNodeView) => slots.some(([first, last]) => first <= slot && slot <= last);
    const owners = (await this.#views()).flat().filter(serves);
    const newest = owners.sort((a, b) => b.configEpoch - a.configEpoch)[0];
    return this.#serverAt(newest?.port, `no node serves slot ${slot} of key "${key}"`);
  }

  /** The replicas of a master now, by its own view. */
  async replicasOf(master: RedisServer): Promise<RedisServer[]> {
    const view = await viewOf(master);
    const id = view.find(({ flags }) => flags.includes('myself'))?.id;
    const replicas = view.filter(({ masterId, flags }) => masterId === id && !flags.includes('fail'));
    return replicas.map(({ port }) => this.#serverAt(port, `a replica on port ${port} is not of this cluster`));
  }

  /** The responsive nodes that serve slots now. */
  async currentMasters(): Promise<RedisServer[]> {
    const responsive = this.#responsive;
    const roles = await Promise.all(responsive.map((server) => askRedis(server, ['ROLE']).catch(() => '')));
    return responsive.filter((_, index) => roles[index]?.includes('master'));
  }

  /**
   * Moves the slot of a key from its master to another, with all its keys, while clients keep working. `whileMoving` is awaited when the
   * keys have moved and the slot has not: the old master replies ASK.
   */
  async moveSlot(key: string, to: RedisServer, options: { whileMoving?: () => Promise<unknown> } = {}): Promise<void> {
    await moveSlot({ slot: await this.#slotOf(key), from: await this.masterOf(key), to, ...options });
  }

  /** Waits until every running node reports `cluster_state:ok` and every running replica follows its master. */
  async waitUntilHealthy(): Promise<void> {
    const running = this.servers.filter((server) => server.isRunning);
    await waitFor(async () => (await Promise.all(running.map(isHealthy))).every(Boolean), {
      what: `the ${running.length} running nodes of the cluster to be healthy`,
      timeoutMs: 30_000,
    });
  }

  /** Stops every server and removes their data. Stopping twice is harmless. */
  async stop(): Promise<void> {
    this.#clients.close();
    await stopTogether(this.servers);
    forget(this);
  }

  async #slotOf(key: string): Promise<number> {
    const reply = await Promise.any(this.#responsive.map((server) => askRedis(server, ['CLUSTER', 'KEYSLOT', key])));
    return Number(reply.slice(1));
  }

  async #views(): Promise<ClusterNodeView[][]> {
    return Promise.all(this.#responsive.map((server) => viewOf(server).catch(() => [])));
  }

  get #responsive(): RedisServer[] {
    return this.servers.filter((server) => server.isResponsive);
  }

  #serverAt(port: number | undefined, problem: string): RedisServer {
    const server = this.servers.find((candidate) => candidate.port === port);
    if (server === undefined) throw new Error(problem);
    return server;
  }
}

async function isHealthy(server: RedisServer): Promise<boolean> {
  const [state, replication] = await Promise.all([
    askRedis(server, ['CLUSTER', 'INFO']),
    askRedis(server, ['INFO', 'replication']),
  ]);
  const isLinked = replication.includes('role:master') || replication.includes('master_link_status:up');
  return state.includes('cluster_state:ok') && isLinked;
}
