import type { Redis } from '@millrace/redis';
import type { RedisCluster, RedisServer } from '@millrace/testing';

const keysAtOnce = 10;
const migrateTimeoutMs = 5000;

/**
 * Moves the slot of a key from the master that serves it to another one, key by key, while clients go on working: they
 * are told ASK, MOVED and TRYAGAIN meanwhile.
 */
export async function moveSlot(cluster: RedisCluster, key: string, choice: number): Promise<void> {
  const source = await cluster.masterOf(key);
  const others = (await mastersOf(cluster)).filter((server) => server !== source);
  const target = others[Math.floor(choice * others.length)];
  if (target === undefined) throw new Error('there is no other master');
  const [from, to] = [source.client(), target.client()];
  try {
    const slot = Number(await from.call('CLUSTER', 'KEYSLOT', key));
    const [fromId, toId] = [String(await from.call('CLUSTER', 'MYID')), String(await to.call('CLUSTER', 'MYID'))];
    await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
    await moveKeys(from, target, slot);
    // The new owner first: what the old one does not know yet it redirects to it.
    await to.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
    await from.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
  } finally {
    from.disconnect();
    to.disconnect();
  }
}

async function moveKeys(from: Redis, target: RedisServer, slot: number): Promise<void> {
  for (;;) {
    const keys = (await from.call('CLUSTER', 'GETKEYSINSLOT', slot, keysAtOnce)) as string[];
    if (keys.length === 0) return;
    await from.call('MIGRATE', '127.0.0.1', target.port, '', 0, migrateTimeoutMs, 'KEYS', ...keys);
  }
}

/** Those that serve slots now. */
export async function mastersOf(cluster: RedisCluster): Promise<RedisServer[]> {
  const running = cluster.servers.filter((server) => server.isResponsive);
  const roles = await Promise.all(
    running.map(async (server) => {
      const client = server.client();
      const info = await client.info('replication').catch(() => '');
      client.disconnect();
      return info.includes('role:master');
    }),
  );
  return running.filter((_, index) => roles[index]);
}
