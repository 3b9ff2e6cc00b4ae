import { Cluster, type RedisClient } from './client.js';
import { parseServerInfo } from './server-check.js';

/**
 * Whether a write can wait until replicas have it on disk: WAITAOF exists since Redis 7.2 and in every Valkey, and it needs the leader's
 * own AOF.
 */
export async function canWaitForDisk(client: RedisClient): Promise<boolean> {
  const node = client instanceof Cluster ? client.nodes('master')[0] : client;
  const { kind, version, isAppendOnly } = parseServerInfo((await node?.info()) ?? '');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return isAppendOnly && (kind === 'valkey' || major > 7 || (major === 7 && minor >= 2));
}
