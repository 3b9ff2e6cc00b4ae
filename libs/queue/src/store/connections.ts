import { Cluster, type Redis, type RedisClient } from '@millrace/redis';

/** Which server a connection is with, and which of its connections it is. */
export interface ConnectionId {
  readonly server: string;
  readonly id: number;
}

/** Its connection to the server that serves `key`: a cluster's client has one to each. Undefined while there is none. */
export async function connectionId(client: RedisClient, key: string): Promise<ConnectionId | undefined> {
  const node = await nodeOf(client, key);
  if (node === undefined || node.status !== 'ready') return undefined;
  const [id, info] = await Promise.all([node.client('ID'), node.info('server')]);
  const server = /^run_id:(\w+)/m.exec(info)?.[1];
  return server === undefined ? undefined : { server, id };
}

/**
 * Which of some connections are open, of the server that serves `key`. Undefined when that is not the server meant.
 *
 * @throws when the user may not ask (`CLIENT LIST` is an admin command)
 */
export async function openConnections(
  client: RedisClient,
  key: string,
  ids: readonly number[],
): Promise<ReadonlySet<number> | undefined> {
  const node = await nodeOf(client, key);
  if (node === undefined) return undefined;
  const list = String(await node.call('CLIENT', 'LIST', 'ID', ...ids.map(String)));
  return new Set([...list.matchAll(/^id=(\d+)/gm)].map(([, id]) => Number(id)));
}

async function nodeOf(client: RedisClient, key: string): Promise<Redis | undefined> {
  if (!(client instanceof Cluster)) return client;
  if (client.status !== 'ready') return undefined;
  const address = client.slots[await slotOf(client, key)]?.[0];
  return client.nodes('master').find(({ options }) => `${options.host}:${options.port}` === address);
}

/** A key's slot never changes: it is asked for once. */
const slots = new Map<string, number>();
const maxSlots = 10_000;

async function slotOf(client: Cluster, key: string): Promise<number> {
  const known = slots.get(key);
  if (known !== undefined) return known;
  const slot = await client.cluster('KEYSLOT', key);
  if (slots.size >= maxSlots) slots.clear();
  slots.set(key, slot);
  return slot;
}
