import { type ClusterClientOptions, RedisCluster, startCluster } from '../../libs/testing/src/index.js';
import type { RedisServerOptions } from '../../libs/testing/src/redis-options.js';

/** Commands that a client of one server sends to that server, and that here mean every node of the cluster. */
const everywhere = new Set(['keys', 'config', 'script', 'save', 'flushall', 'info']);

/**
 * A cluster of three masters that passes for the one server of a spec: what is done to the server is done to every node.
 * `MILLRACE_TEST_ON=cluster` gives it to the specs in the place of `startRedis`.
 */
export class ServerOnCluster {
  constructor(readonly cluster: RedisCluster) {}

  static async start({ aof, password, maxmemory, config }: RedisServerOptions = {}): Promise<ServerOnCluster> {
    const shared = { aof, password, maxmemory, config: { 'cluster-require-full-coverage': 'no', ...config } };
    const given = Object.fromEntries(Object.entries(shared).filter(([, value]) => value !== undefined));
    return new ServerOnCluster(await startCluster({ masters: 3, replicasPerMaster: 0, ...given }));
  }

  get connection(): RedisCluster['connection'] {
    return this.cluster.connection;
  }

  get password(): string | undefined {
    return this.cluster.password;
  }

  /** A folder of one of them, for files of the test. */
  get dir(): string {
    return this.cluster.servers[0]?.dir ?? '';
  }

  get url(): never {
    throw new Error('a cluster has no url: reach it by `connection`, or mark the test with `onOneServer`');
  }

  get port(): never {
    throw new Error('a cluster has no one port: mark the test with `onOneServer`');
  }

  get isRunning(): boolean {
    return this.cluster.servers.every((server) => server.isRunning);
  }

  /** A client of the cluster, whose `keys`, `info` and the like ask every node. */
  client(options: ClusterClientOptions = {}): object {
    const client = this.cluster.client(options);
    return new Proxy(client, {
      get: (target, name) => {
        if (typeof name === 'string' && everywhere.has(name)) return (...args: unknown[]) => this.#ask(name, args);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  async kill(): Promise<void> {
    await Promise.all(this.cluster.servers.map((server) => server.kill()));
  }

  async freeze(): Promise<void> {
    await Promise.all(this.cluster.servers.map((server) => server.freeze()));
  }

  thaw(): void {
    for (const server of this.cluster.servers) server.thaw();
  }

  async restart(options?: { readonly keepData?: boolean }): Promise<void> {
    await Promise.all(this.cluster.servers.map((server) => server.restart(options)));
    await this.cluster.waitUntilHealthy();
  }

  stop(): Promise<void> {
    return this.cluster.stop();
  }

  /** Lists are put together, numbers added up; of strings the first is returned. */
  async #ask(command: string, args: readonly unknown[]): Promise<unknown> {
    const replies = await Promise.all(
      this.cluster.servers.map((server) => server.client().call(command, ...args.map(String))),
    );
    if (command === 'info') return replies.join('\r\n');
    return Array.isArray(replies[0]) ? replies.flat() : replies[0];
  }
}
