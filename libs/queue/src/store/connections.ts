import { Cluster, type RedisClient } from '@millrace/redis';

/** Which server a connection is with, and which of its connections it is. */
export interface ConnectionId {
  readonly server: string;
  readonly id: number;
}

/** Undefined where that cannot be told: on a cluster, whose client has a connection to each node, or when away. */
export async function connectionId(client: RedisClient): Promise<ConnectionId | undefined> {
  if (client instanceof Cluster || client.status !== 'ready') return undefined;
  const [id, info] = await Promise.all([client.client('ID'), client.info('server')]);
  const server = /^run_id:(\w+)/m.exec(info)?.[1];
  return server === undefined ? undefined : { server, id };
}

/** Which of some connections of this server are open. @throws when the user may not ask (`CLIENT LIST` is an admin command) */
export async function openConnections(client: RedisClient, ids: readonly number[]): Promise<ReadonlySet<number>> {
  const list = String(await client.call('CLIENT', 'LIST', 'ID', ...ids.map(String)));
  return new Set([...list.matchAll(/^id=(\d+)/gm)].map(([, id]) => Number(id)));
}
