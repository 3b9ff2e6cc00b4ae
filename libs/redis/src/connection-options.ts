import type { ConnectionOptions as TlsOptions } from 'node:tls';
import {
  boolean,
  custom,
  integer,
  type OptionReader,
  type OptionReaders,
  object,
  optional,
  required,
  resolveOptions,
  text,
} from '@millrace/core';
import { urlProblem } from './connection-url.js';

/** Where a server listens. */
export interface Address {
  /** Name or IP address. */
  readonly host: string;
  /** Default 6379. */
  readonly port: number;
}

/** How to reach Redis or Valkey. Exactly one of `url`, `cluster` and `sentinel` is given. */
export interface ConnectionOptions {
  /** One server: `redis://[[user]:password@]host[:port][/db]`, or `rediss://` for TLS. */
  readonly url?: string | undefined;
  /** Redis Cluster: some of its nodes; the others are found. */
  readonly cluster?: { readonly nodes: readonly Address[] } | undefined;
  /** A master that Sentinel monitors: its name, and some of the Sentinels. */
  readonly sentinel?:
    | {
        readonly name: string;
        readonly nodes: readonly Address[];
        /** The user in Sentinel's own ACL. Default: its default user. */
        readonly username?: string | undefined;
        /** Sentinel's own password. Default: none. */
        readonly password?: string | undefined;
      }
    | undefined;
  /** The user in Redis' ACL; needs a password. Default: the one in the URL, or Redis' default user. */
  readonly username?: string | undefined;
  /** The password. Default: the one in the URL, or none. */
  readonly password?: string | undefined;
  /** Node's TLS options; `{}` for the defaults. They apply to Sentinels too. Default: as in the URL (`rediss:`), or none. */
  readonly tls?: TlsOptions | undefined;
  /** Database number; not for a cluster, which has only database 0. Default: the one in the URL, or 0. */
  readonly db?: number | undefined;
  /** Prefix of every key: several Millrace installations can share one Redis. Default `millrace`. */
  readonly prefix: string;
  /** The name of this process in `CLIENT LIST`. Default `millrace`. */
  readonly name: string;
  /** Longest wait for a connection, in ms. Default 5,000. */
  readonly connectTimeoutMs: number;
  /** Longest wait for a reply, in ms, before the connection is closed. Default 5,000. */
  readonly commandTimeoutMs: number;
  /** Accept a server whose `maxmemory-policy` may evict our keys, which loses messages. Default false. */
  readonly allowEviction: boolean;
}

/** The options as users write them: everything with a default may be left out. */
export type ConnectionInput = Partial<ConnectionOptions>;

/** Checks the options and fills in defaults. @throws {OptionsError} with all problems */
export function resolveConnectionOptions(input: ConnectionInput): ConnectionOptions {
  return resolveOptions<ConnectionOptions>('redis connection', readersFor(input), withEndpointChecked(input));
}

/** The longest timeout of Node's sockets. */
const maxSocketTimeoutMs = 2 ** 31 - 1;

const address = object<Address>({ host: required(text('')), port: integer(6379, { min: 1, max: 65_535 }) });

const addresses: OptionReader<readonly Address[]> = (value, report, path) => {
  if (Array.isArray(value) && value.length > 0) {
    return value.map((node, index) => address(node, report, `${path}[${index}]`));
  }
  report(`${path} must be a list of { host, port } with at least one entry`);
  return [];
};

/** The value is not shown: it may be a password. */
const secret: OptionReader<string | undefined> = (value, report, path) => {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  if (value === '') report(`${path} is empty: give the password, or leave ${path} out where the server has none`);
  else report(`${path} must be a string`);
  return undefined;
};

const readers = {
  url: redisUrl(),
  cluster: optional(object({ nodes: required(addresses) })),
  sentinel: optional(
    object({
      name: required(text('')),
      nodes: required(addresses),
      username: optional(text('')),
      password: secret,
    }),
  ),
  username: optional(text('')),
  password: secret,
  tls: optional(
    custom<TlsOptions>({}, 'an object of TLS options', (value): value is TlsOptions => value instanceof Object),
  ),
  db: optional(integer(0)),
  prefix: keyPrefix('millrace'),
  name: text('millrace'),
  connectTimeoutMs: integer(5000, { min: 1, max: maxSocketTimeoutMs }),
  commandTimeoutMs: integer(5000, { min: 1, max: maxSocketTimeoutMs }),
  allowEviction: boolean(false),
};

/** The valid values of an option depend on the others. */
function readersFor(input: ConnectionInput): OptionReaders<ConnectionOptions> {
  return {
    ...readers,
    db: (value, report, path) => {
      const isForCluster = value !== undefined && input?.cluster !== undefined;
      if (isForCluster) report(`${path} is not for a cluster, which has only database 0: leave it out`);
      return isForCluster ? undefined : readers.db(value, report, path);
    },
    username: (value, report, path) => {
      if (value !== undefined && input?.password === undefined && !hasPassword(input?.url)) {
        report(`${path} is given without a password: without one no user is sent to the server`);
      }
      return readers.username(value, report, path);
    },
  };
}

function hasPassword(url: unknown): boolean {
  return typeof url !== 'string' || !URL.canParse(url) || new URL(url).password !== '' || url.includes('password=');
}

/** The endpoint is one of three options, so it is checked before each option is read. */
function withEndpointChecked(input: ConnectionInput): ConnectionInput {
  const given = (['url', 'cluster', 'sentinel'] as const).filter((key) => input?.[key] !== undefined);
  return given.length === 1 ? input : { ...input, url: given.join(' and ') };
}

function redisUrl(): OptionReader<string | undefined> {
  return (value, report, path) => {
    if (value === undefined) return undefined;
    if (value === '') report('one of url, cluster and sentinel must be given');
    else if (typeof value === 'string' && value.includes(' and ')) report(`only one of ${value} may be given`);
    else {
      // The URL itself is not shown: it may hold a password.
      const problem = urlProblem(value);
      if (problem !== undefined) report(`${path} ${problem}`);
    }
    return typeof value === 'string' ? value : undefined;
  };
}

/** Reads the prefix of all keys. */
export function keyPrefix(defaultPrefix: string): OptionReader<string> {
  return (value, report, path) => {
    if (value === undefined) return defaultPrefix;
    // Braces would replace the cluster's hash tag.
    if (typeof value === 'string' && /^[A-Za-z0-9._:/-]{1,100}$/.test(value)) return value;
    report(`${path} must be 1 to 100 letters, digits or . _ : / -`);
    return defaultPrefix;
  };
}
