import { Redis } from '@millrace/redis';
import { type ClientOptions, disconnectTimeout, RedisClients } from './redis-clients.js';
import { askRedis } from './redis-question.js';
import type { RedisServer } from './redis-server.js';
import { isFollowed, type Replicated } from './replicated.js';
import { forget, remember, stopTogether } from './started.js';
import { waitFor } from './wait-for.js';

/** Sentinel's name for the primary that it monitors. */
export const sentinelName = 'millrace';

/** Sentinels that monitor a primary and its replicas. Created by `startSentinels`. */
export class Sentinels {
  /** The Sentinel processes. */
  readonly servers: readonly RedisServer[];
  readonly #watched: Replicated;
  readonly #clients = new RedisClients();

  constructor(servers: readonly RedisServer[], watched: Replicated) {
    this.servers = servers;
    this.#watched = watched;
    remember(this);
  }

  /** The options with which `connect` of @millrace/redis finds the current primary. */
  get connection() {
    const { password } = this.#watched;
    const nodes = this.servers.map(({ host, peerPort }) => ({ host, port: peerPort }));
    return { sentinel: { name: sentinelName, nodes }, ...(password === undefined ? {} : { password }) };
  }

  /** A client that queries Sentinel for the primary, at the start and after every loss. */
  client(options: ClientOptions = {}): Redis {
    const { sentinel, password } = this.connection;
    const address = { sentinels: sentinel.nodes, name: sentinel.name, ...(password === undefined ? {} : { password }) };
    return this.#clients.track(
      new Redis({
        ...address,
        retryStrategy: () => 50,
        sentinelRetryStrategy: () => 50,
        disconnectTimeout,
        ...options,
      }),
    );
  }

  /** The current primary, if the running Sentinels agree; `undefined` while they do not. */
  async primary(): Promise<RedisServer | undefined> {
    const running = this.servers.filter((server) => server.isResponsive);
    const ports = await Promise.all(running.map(primaryPortOf));
    return this.#watched.servers.find(({ peerPort }) => ports.every((port) => port === peerPort));
  }

  /**
   * Waits until the running Sentinels agree on a primary, every other running server follows it, no failover is in progress and none
   * would be delayed: from then on the next failure is handled like the first one. (A server that restarts after a failover starts as a
   * primary; Sentinel makes it a replica after 10 to 20 s.)
   */
  async waitUntilHealthy(): Promise<void> {
    const running = this.#watched.servers.filter((server) => server.isRunning);
    await waitFor(
      async () => {
        const primary = await this.primary();
        if (primary === undefined) return false;
        const others = running.filter((server) => server !== primary);
        const calm = await Promise.all(this.servers.filter((server) => server.isResponsive).map(isSettled));
        return calm.every(Boolean) && (await isFollowed(primary, others));
      },
      {
        what: `${running.length} servers to be the primary that the Sentinels name, and its replicas`,
        timeoutMs: 60_000,
        intervalMs: 50,
      },
    );
  }

  /** The state of each Sentinel and of its primary, for an error: in tilt mode it starts no failover for 30 s. */
  async describe(): Promise<string> {
    const states = await Promise.all(
      this.servers.map(async (server) => {
        const info = server.isResponsive ? await askRedis(server, ['INFO', 'sentinel']) : '';
        return `${server.port} ${info.match(/(sentinel_tilt|master0):.*/g)?.join(' ') ?? 'is down'}`;
      }),
    );
    return states.join('; ');
  }

  /** Waits until every Sentinel knows the others and all replicas: from then on they can agree on a failover. */
  async waitUntilReady(): Promise<void> {
    const replicas = this.#watched.servers.length - 1;
    const others = this.servers.length - 1;
    await waitFor(
      async () => {
        const states = await Promise.all(
          this.servers.map((server) => askRedis(server, ['SENTINEL', 'MASTER', sentinelName])),
        );
        return states.every(
          (state) => numberIn(state, 'num-slaves') >= replicas && numberIn(state, 'num-other-sentinels') >= others,
        );
      },
      { what: `${this.servers.length} sentinels to know each other and ${replicas} replicas`, timeoutMs: 30_000 },
    );
  }

  /** Stops the Sentinels; the servers that they monitor keep running. */
  async stop(): Promise<void> {
    this.#clients.close();
    await stopTogether(this.servers);
    forget(this);
  }
}

/** Whether it sees all servers healthy, and would start a failover: in tilt mode it does not. */
async function isSettled(sentinel: RedisServer): Promise<boolean> {
  const seen = ['MASTER', 'REPLICAS', 'SENTINELS'].map((whom) => askRedis(sentinel, ['SENTINEL', whom, sentinelName]));
  const info = await askRedis(sentinel, ['INFO', 'sentinel']);
  const isWrong = /s_down|o_down|disconnected|failover_in_progress/;
  return info.includes('sentinel_tilt:0') && !(await Promise.all(seen)).some((reply) => isWrong.test(reply));
}

/** Reads a reply with address and port. */
async function primaryPortOf(sentinel: RedisServer): Promise<number | undefined> {
  const reply = await askRedis(sentinel, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', sentinelName]);
  const port = /\r\n(\d+)\r\n$/.exec(reply)?.[1];
  return port === undefined ? undefined : Number(port);
}

/** A field of a flat list of names and values, in RESP. */
function numberIn(reply: string, field: string): number {
  return Number(new RegExp(`\\r\\n${field}\\r\\n\\$\\d+\\r\\n(\\d+)\\r\\n`).exec(reply)?.[1] ?? 0);
}
