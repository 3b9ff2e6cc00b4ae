import { custom, integer, object, optional, required, resolveOptions, text } from '@millrace/core';
import { pidFile } from './data-folder.js';

/** A value of Redis' configuration; several words are given as an array. */
export type RedisSetting = string | number | readonly string[];

/** A server's certificate and the CA that it trusts, as names of PEM files. Clients need no certificate. */
export interface TlsFiles {
  /** The server's certificate. */
  readonly cert: string;
  /** The private key of `cert`. */
  readonly key: string;
  /** The CA of the other servers' certificates. */
  readonly ca: string;
}

/** How a server is started. */
export interface RedisServerOptions {
  /** When the append-only file is synced to disk, or `false` for no such file. Default `false`. */
  readonly aof?: 'always' | 'everysec' | false;
  /** The password of clients. Default: none. */
  readonly password?: string;
  /** Data folder; it is made when missing, and kept. Default: a private temporary folder that is removed when the server stops. */
  readonly dir?: string;
  /** The port. Default: a free one. */
  readonly port?: number;
  /** Also listen with TLS, on another port, and use only TLS to replicas and to other nodes of a cluster. Default: no. */
  readonly tls?: TlsFiles | undefined;
  /** Bytes, or a number with a unit as Redis reads it: `10mb`. Default: no limit. */
  readonly maxmemory?: number | string;
  /** Further settings as in `redis.conf`, for example `{ 'maxmemory-policy': 'allkeys-lru' }`. They override all others. */
  readonly config?: Readonly<Record<string, RedisSetting>>;
  /** The server program. Default: `MILLRACE_REDIS_BINARY`, else `redis-server` or `valkey-server` on `PATH`. */
  readonly binary?: string;
  /** How long the server may take to be ready, in milliseconds. Default 30 000. */
  readonly startTimeoutMs?: number;
}

/** Options with their defaults filled in. */
export type ResolvedRedisOptions = Readonly<ReturnType<typeof resolveRedisOptions>>;

/** The address and folder of a server. */
export interface ServerPlace {
  readonly port: number;
  /** The cluster bus port; `undefined` outside a cluster. */
  readonly clusterPort: number | undefined;
  /** The port for TLS; `undefined` without `tls`. */
  readonly tlsPort: number | undefined;
  /** Its data folder. */
  readonly dir: string;
}

/** @throws {OptionsError} with all problems */
export function resolveRedisOptions(options: RedisServerOptions) {
  return resolveOptions<{
    aof: 'always' | 'everysec' | false;
    password: string | undefined;
    dir: string | undefined;
    port: number | undefined;
    tls: TlsFiles | undefined;
    maxmemory: number | string | undefined;
    config: Readonly<Record<string, RedisSetting>>;
    binary: string | undefined;
    startTimeoutMs: number;
  }>(
    'startRedis',
    {
      aof: custom(false, '"always", "everysec" or false', isAof),
      password: optional(text('')),
      dir: optional(text('')),
      port: optional(integer(0, { min: 1, max: 65_535 })),
      tls: optional(object({ cert: required(text('')), key: required(text('')), ca: required(text('')) })),
      maxmemory: optional(custom('', 'a number of bytes, or a string like "10mb"', isSize)),
      config: custom({}, 'an object of redis.conf settings', isConfig),
      binary: optional(text('')),
      startTimeoutMs: integer(30_000, { min: 1 }),
    },
    options,
  );
}

/** The command line of a server that only this machine can reach and that writes only the requested files. */
export function redisArguments(options: ResolvedRedisOptions, place: ServerPlace): string[] {
  const settings: Record<string, RedisSetting> = {
    port: place.port,
    bind: '127.0.0.1',
    'protected-mode': 'yes',
    dir: place.dir,
    ...(options.dir === undefined ? {} : { pidfile: pidFile(place.dir) }),
    save: '',
    daemonize: 'no',
    // A replica is synced immediately, without Redis' default pause of 5 s for more replicas.
    'repl-diskless-sync-delay': 0,
    // How long a graceful shutdown waits for replicas that lag: Redis' default is 10 s.
    'shutdown-timeout': 2,
    appendonly: options.aof === false ? 'no' : 'yes',
    ...(options.aof === false ? {} : { appendfsync: options.aof }),
    ...(options.password === undefined ? {} : { requirepass: options.password, masterauth: options.password }),
    ...(options.maxmemory === undefined ? {} : { maxmemory: options.maxmemory }),
    ...(place.clusterPort === undefined ? {} : { 'cluster-port': place.clusterPort }),
    ...tlsSettings(options, place),
    ...options.config,
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, ...[value].flat().map(String)]);
}

/** The options for TLS; empty without `tls`. */
export function tlsSettings({ tls }: ResolvedRedisOptions, { tlsPort }: ServerPlace): Record<string, RedisSetting> {
  if (tls === undefined || tlsPort === undefined) return {};
  return {
    'tls-port': tlsPort,
    'tls-cert-file': tls.cert,
    'tls-key-file': tls.key,
    'tls-ca-cert-file': tls.ca,
    'tls-auth-clients': 'no',
    'tls-replication': 'yes',
    'tls-cluster': 'yes',
  };
}

function isAof(value: unknown): value is 'always' | 'everysec' | false {
  return value === 'always' || value === 'everysec' || value === false;
}

function isSize(value: unknown): value is number | string {
  return typeof value === 'number' ? Number.isSafeInteger(value) && value >= 0 : /^\d+([kmg]b?)?$/i.test(String(value));
}

function isConfig(value: unknown): value is Readonly<Record<string, RedisSetting>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
