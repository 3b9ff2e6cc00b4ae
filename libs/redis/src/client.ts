import { startTimer, stopTimer } from '@millrace/core';
import { Cluster, Command, type RedisOptions as IoredisOptions, Pipeline, Redis } from 'ioredis';
import type { ConnectionOptions } from './connection-options.js';
import { rejectLostCommands } from './lost-commands.js';
import { QuietConnector, QuietSentinelConnector } from './quiet-connectors.js';
import { refuseHalfASetUp } from './set-up.js';

// The one door to ioredis for every other room: `libs/redis` and the `store/` folders may know it, nobody else does.
export { Cluster, Command, Pipeline, Redis };

/** One Redis server (perhaps found through Sentinel), or a cluster. */
export type RedisClient = Redis | Cluster;

/** Longest time a blocking command may block, so that a dead connection is noticed and a stop is never late. */
export const maxBlockMs = 5000;

/**
 * Opens a client that never hides an outage. ioredis by default queues commands while Redis is away and sends again what
 * got no reply: a caller can then neither know whether its write happened nor fail in bounded time. Here a command
 * on a lost connection fails at once, and whoever sent it decides, knowing its own deadline and sequence number.
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
      // A certificate is made out to a name: ioredis would look the address up and ask for that.
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
    // Redis refuses spaces and control characters in a name, and a handler, whose name is in it, may be called anything.
    connectionName: `${options.name}:${use.name}`.replace(/[^!-~]/g, '_'),
    Connector: options.sentinel === undefined ? QuietConnector : QuietSentinelConnector,
    lazyConnect: true,
    protocol: 2,
    // Two commands less at each connect, for which a user would need a right that old servers do not know.
    disableClientInfo: true,
    // With no offline queue and no retries, everything in flight is rejected when the connection is lost.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: options.connectTimeoutMs,
    // A closed client waits so long for the server's goodbye; longer only holds up the end of the process.
    disconnectTimeout: 200,
    // A frozen server keeps its sockets open: silence while a reply is owed is what gives it away.
    socketTimeout: options.commandTimeoutMs + (use.blocks ? maxBlockMs : 0),
    retryStrategy: reconnectDelayMs,
    // A demoted master answers READONLY: look again for who is master now.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    ...(options.db === undefined ? {} : { db: options.db }),
  } satisfies IoredisOptions;
}

/** One server: by its URL, or the one that Sentinel names. */
function openNode(options: ConnectionOptions, common: ReturnType<typeof commonOptions>): Redis {
  if (options.sentinel !== undefined) {
    return new Redis({
      ...common,
      sentinels: options.sentinel.nodes.map(({ host, port }) => ({ host, port })),
      name: options.sentinel.name,
      failoverDetector: true,
      // A Sentinel that says nothing is passed over; without this it would be waited for as long as its socket is open.
      sentinelCommandTimeout: options.commandTimeoutMs,
      // Without this ioredis takes no notice of `tls` here, and says the password to whoever listens.
      ...(options.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: options.tls }),
      ...(options.sentinel.username === undefined ? {} : { sentinelUsername: options.sentinel.username }),
      ...(options.sentinel.password === undefined ? {} : { sentinelPassword: options.sentinel.password }),
    });
  }
  return new Redis(withoutOverridden(options), common);
}

/** ioredis prefers what the URL says, even where that is a user without a name; here the options are. */
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
 * Once, at once; then the node leaves the pool. Of a node that is not to come back ioredis sends again whatever was in
 * flight, executed or not; of one that is, `maxRetriesPerRequest` rejects it. What was refused (MOVED, ASK, TRYAGAIN,
 * CLUSTERDOWN) or not sent at all still goes to the right node by itself, some two seconds at most.
 */
function nodeReconnectDelayMs(attempt: number): number | null {
  return attempt === 1 ? 0 : null;
}

/** 50 ms, doubling to one second, ± 20 %: back soon after a restart, and not all clients in the same instant. */
function reconnectDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** (attempt - 1), 1000) * (0.8 + Math.random() * 0.4);
}
