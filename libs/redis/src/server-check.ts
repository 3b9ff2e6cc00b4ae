import { UnsupportedServerError } from '@millrace/core';
import { Cluster, type Redis, type RedisClient } from './client.js';
import type { ConnectionOptions } from './connection-options.js';
import { asFields } from './reply.js';

/** What a server reports about itself. */
export interface ServerInfo {
  /** The product. */
  readonly kind: 'redis' | 'valkey';
  /** Its version: `7.0.15`. */
  readonly version: string;
  /** `maxmemory-policy`; anything but `noeviction` can lose messages. */
  readonly evictionPolicy: string;
  /** Whether it keeps an append-only file. */
  readonly isAppendOnly: boolean;
}

const oldestVersions = { redis: [7, 0], valkey: [7, 2] } as const;

/**
 * Refuses a server that cannot give Millrace's guarantees. Checks every master.
 *
 * @returns warnings worth one log line at start
 * @throws {UnsupportedServerError} too old, or allowed to evict keys
 */
export async function checkServer(client: RedisClient, options: ConnectionOptions): Promise<string[]> {
  const servers: Redis[] = client instanceof Cluster ? client.nodes('master') : [client];
  const warnings = new Set<string>();
  for (const server of servers) {
    const info = parseServerInfo(await server.info());
    refuseOldServer(info);
    if (info.evictionPolicy !== 'noeviction' && !options.allowEviction) {
      throw new UnsupportedServerError(
        `the Redis server may evict keys (maxmemory-policy ${info.evictionPolicy}), which would lose messages. ` +
          'Set maxmemory-policy noeviction, or accept the loss with allowEviction: true.',
      );
    }
    if (!info.isAppendOnly && !(await takesSnapshots(server))) {
      warnings.add('Redis has neither AOF nor snapshots: a restart of it loses every message. Set appendonly yes.');
    }
  }
  return [...warnings];
}

/** Reads the reply of INFO. */
export function parseServerInfo(info: string): ServerInfo {
  const fields = new Map(info.split('\r\n').map((line) => line.split(':', 2) as [string, string]));
  const valkeyVersion = fields.get('valkey_version');
  return {
    kind: valkeyVersion === undefined ? 'redis' : 'valkey',
    version: valkeyVersion ?? fields.get('redis_version') ?? '0',
    evictionPolicy: fields.get('maxmemory_policy') ?? 'noeviction',
    isAppendOnly: fields.get('aof_enabled') === '1',
  };
}

/** Save points are only in CONFIG, which the user may lack the right to read: then there is no warning. */
async function takesSnapshots(server: Redis): Promise<boolean> {
  try {
    return (
      asFields(await server.callBuffer('CONFIG', 'GET', 'save'))
        .get('save')
        ?.toString() !== ''
    );
  } catch {
    return true;
  }
}

function refuseOldServer({ kind, version }: ServerInfo): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldestVersions[kind];
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new UnsupportedServerError(
    `the server is ${kind} ${version}; Millrace needs Redis 7.0 or Valkey 7.2, or newer. Upgrade the server.`,
  );
}
