import { startTimer, stopTimer } from '@millrace/core';
import { Cluster, Command, type RedisOptions as IoredisOptions, Pipeline, Redis } from 'ioredis';
import type { ConnectionOptions } from './connection-options.js';
import { rejectLostCommands } from './lost-commands.js';
import { QuietConnector, QuietSentinelConnector } from './quiet-connectors.js';
import { refuseHalfASetUp } from './set-up.js';

// Where every other folder gets ioredis from: only `libs/redis` and the `store/` folders may use it.
export { Cluster, Command, Pipeline, Redis };

/** One Redis server (perhaps found through Sentinel), or a cluster. */
export type RedisClient = Redis | Cluster;

/** Longest time a blocking command may block, so that a dead connection is noticed and a stop is not delayed. */
export const maxBlockMs = 5000;

/**
 * Opens a client that never hides an outage. By default ioredis queues commands while Redis is away and resends those without a reply: a
 * caller can then neither know whether its write happened nor fail in bounded time. Here a command on a lost connection fails
 * immediately, and the caller decides, as it knows its deadline and sequence number.
 */
export function openClient(
  options: ConnectionOptions,
  use: { readonly name: string; readonly blocks: boolean },
): RedisClient {
  const common = commonOptions(options, use);
  if (options.cluster !== undefined) {
    const cluster = new Cluster([...options.cluster.nodes], {
      lazyConnect: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: reconnectDelayMs,
      clusterNodeRetryStrategy: nodeReconnectDelayMs,
      retryDelayOnTryAgain: 50,
      // A certificate is issued to a name: ioredis would resolve the name and check the certificate against the address.
      ...(options.tls === undefined ? {} : { dnsLookup: (host, callback) => callback(null, host) }),
      redisOptions: common,
    });
    cluster.on('+node', refuseHalfASetUp).on('+node', rejectLostCommands);
    return cluster;
  }
  const client = openNode(options, common);
  refuseHalfASetUp(client);
  rejectLostCommands(client);
  return client;
}

/** The options of every client, whatever kind of servers it connects to. */
function commonOptions(options: ConnectionOptions, use: { readonly name: string; readonly blocks: boolean }) {
  return {
    // Redis refuses spaces and control characters in a client's name, and it contains the handler's name, which may have them.
    connectionName: `${options.name}:${use.name}`.replace(/[^!-~]/g, '_'),
    Connector: options.sentinel === undefined ? QuietConnector : QuietSentinelConnector,
    lazyConnect: true,
    protocol: 2,
    // Saves two commands per connect, for which a user would need a right that old servers do not have.
    disableClientInfo: true,
    // With no offline queue and no retries, everything in flight is rejected when the connection is lost.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: options.connectTimeoutMs,
    // How long a closed client waits for the server to close the socket; a longer wait only delays the end of the process.
    disconnectTimeout: 200,
    // A frozen server keeps its sockets open: it is detected by its missing replies.
    socketTimeout: options.commandTimeoutMs + (use.blocks ? maxBlockMs : 0),
    retryStrategy: reconnectDelayMs,
    // A demoted master replies READONLY: look up the current master.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    ...(options.db === undefined ? {} : { db: options.db }),
  } satisfies IoredisOptions;
}

/** One server: by its URL, or the master that Sentinel names. */
function openNode(options: ConnectionOptions, common: ReturnType<typeof commonOptions>): Redis {
  if (options.sentinel !== undefined) {
    return new Redis({
      ...common,
      sentinels: options.sentinel.nodes.map(({ host, port }) => ({ host, port })),
      name: options.sentinel.name,
      failoverDetector: true,
      // Skips a Sentinel that does not reply; without this the client would wait for as long as its socket is open.
      sentinelCommandTimeout: options.commandTimeoutMs,
      // Without this ioredis ignores `tls` here and sends the password unencrypted.
      ...(options.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: options.tls }),
      ...(options.sentinel.username === undefined ? {} : { sentinelUsername: options.sentinel.username }),
      ...(options.sentinel.password === undefined ? {} : { sentinelPassword: options.sentinel.password }),
    });
  }
  return new Redis(withoutOverridden(options), common);
}

/** ioredis prefers the URL, even if its user has no name; here the options take precedence. */
function withoutOverridden({ url: given = '', username, password, db }: ConnectionOptions): string {
  const url = new URL(given);
  if (username !== undefined || password !== undefined) {
    const login = { username: url.username, password: url.password };
    url.username = username === undefined ? login.username : encodeURIComponent(username);
    url.password = password === undefined ? login.password : encodeURIComponent(password);
  }
  if (db !== undefined) {
    url.pathname = `/${db}`;
    url.searchParams.delete('db');
  }
  return url.toString();
}

/** Resolves when the client can be used, was closed, or the time in ms is over. */
export function becomesReady(client: RedisClient, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      stopTimer(timer);
      client.off('ready', end);
      client.off('end', end);
      resolve();
    };
    const timer = startTimer(end, timeoutMs);
    client.on('ready', end);
    client.on('end', end);
  });
}

/**
 * One immediate retry; then the node leaves the pool. For a node without retries ioredis resends the commands in flight, executed or not;
 * for one with a retry, `maxRetriesPerRequest` rejects them. Commands that were refused (MOVED, ASK, TRYAGAIN, CLUSTERDOWN) or not sent
 * still go to the right node, for up to about two seconds.
 */
function nodeReconnectDelayMs(attempt: number): number | null {
  return attempt === 1 ? 0 : null;
}

/** 50 ms, doubling to one second, ± 20 %: clients reconnect soon after a restart, and not all simultaneously. */
function reconnectDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** (attempt - 1), 1000) * (0.8 + Math.random() * 0.4);
}
