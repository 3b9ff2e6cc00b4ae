import { RedisCluster } from './cluster.js';
import { type ClusterNodeView, viewOf } from './cluster-view.js';
import type { RedisServerOptions } from './redis-options.js';
import { askRedis } from './redis-question.js';
import type { RedisServer } from './redis-server.js';
import { startRedis } from './start-redis.js';
import { orStop, startTogether } from './started.js';
import { waitFor } from './wait-for.js';

/** The options of a cluster. The other options apply to every node. */
export interface ClusterOptions extends Omit<RedisServerOptions, 'dir' | 'port'> {
  /** The number of masters. Default 3, the minimum of a cluster. */
  readonly masters?: number;
  /** Replicas per master. Default 1. */
  readonly replicasPerMaster?: number;
  /**
   * How long a node may be unreachable before it counts as failed, in milliseconds (`cluster-node-timeout`). Default 1 000; Redis' own is
   * 15 000.
   */
  readonly nodeTimeoutMs?: number;
}

const slotCount = 16_384;

/**
 * Starts a Redis Cluster and waits until all its slots are served, all nodes agree, and every replica has its master's data. Takes a
 * little over two seconds, the time for which a Redis master waits before it reports its cluster as ok.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicasPerMaster = 1, nodeTimeoutMs = 1_000, ...shared } = options;
  const config = {
    'cluster-enabled': 'yes',
    'cluster-node-timeout': nodeTimeoutMs,
    // A replica stays with its master, so that a test knows which servers it breaks.
    'cluster-allow-replica-migration': 'no',
    ...shared.config,
  };
  const count = masters * (1 + replicasPerMaster);
  const servers = await startTogether(Array.from({ length: count }, () => startRedis({ ...shared, config })));
  return orStop(servers, async () => {
    await Promise.all(servers.slice(0, masters).map((server, index) => giveSlots(server, index, masters)));
    await introduce(servers);
    await Promise.all(servers.slice(masters).map((server, index) => follow(server, servers[index % masters])));
    const cluster = new RedisCluster(servers, masters);
    await agree(servers, masters);
    await cluster.waitUntilHealthy();
    return cluster;
  });
}

async function giveSlots(master: RedisServer, index: number, masters: number): Promise<void> {
  const first = Math.floor((slotCount * index) / masters);
  const last = Math.floor((slotCount * (index + 1)) / masters) - 1;
  await askRedis(master, ['CLUSTER', 'ADDSLOTSRANGE', String(first), String(last)]);
  // Masters with equal epochs would first have to resolve the conflict.
  await askRedis(master, ['CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1)]);
}

/** Every node meets every other in one step: faster than discovery by gossip. */
async function introduce(servers: readonly RedisServer[]): Promise<void> {
  const meetings = servers.flatMap((server, index) => servers.slice(index + 1).map((other) => meet(server, other)));
  await Promise.all(meetings);
  await waitFor(
    async () => (await views(servers)).every((view) => view.length === servers.length && view.every(isMet)),
    {
      what: `${servers.length} cluster nodes to know each other`,
      timeoutMs: 30_000,
    },
  );
}

async function meet(server: RedisServer, other: RedisServer): Promise<void> {
  await askRedis(server, ['CLUSTER', 'MEET', other.host, String(other.port), String(other.clusterPort)]);
}

async function follow(replica: RedisServer, master: RedisServer | undefined): Promise<void> {
  if (master === undefined) return;
  const id = (await viewOf(master)).find(({ flags }) => flags.includes('myself'))?.id ?? '';
  await askRedis(replica, ['CLUSTER', 'REPLICATE', id]);
}

/** Waits until every node sees all slots served and every other node in its role. */
async function agree(servers: readonly RedisServer[], masters: number): Promise<void> {
  const isAgreed = (view: ClusterNodeView[]) =>
    view.filter(({ slots }) => slots.length > 0).length === masters &&
    view.filter(({ masterId }) => masterId !== undefined).length === servers.length - masters &&
    view.every(({ isLinked }) => isLinked);
  await waitFor(async () => (await views(servers)).every(isAgreed), {
    what: `${servers.length} cluster nodes to agree who serves which slots`,
    timeoutMs: 30_000,
  });
}

function isMet({ flags }: { readonly flags: readonly string[] }): boolean {
  return !flags.includes('handshake');
}

function views(servers: readonly RedisServer[]): Promise<ClusterNodeView[][]> {
  return Promise.all(servers.map((server) => viewOf(server)));
}
