import { Cluster, nodeKnownToServe, type RedisClient } from '@millrace/redis';

/**
 * Which of some connections are open on the server that serves `key`. Undefined when that is not the expected server.
 *
 * @throws when the user may not ask (`CLIENT LIST` is an admin command)
 */
export async function openConnections(
  client: RedisClient,
  key: string,
  ids: readonly number[],
): Promise<ReadonlySet<number> | undefined> {
  const node = client instanceof Cluster ? nodeKnownToServe(client, key) : client;
  if (node === undefined) return undefined;
  const list = String(await node.call('CLIENT', 'LIST', 'ID', ...ids.map(String)));
  return new Set([...list.matchAll(/^id=(\d+)/gm)].map(([, id]) => Number(id)));
}
