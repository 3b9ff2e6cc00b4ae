import { Cluster, type Redis, type RedisClient } from './client.js';
import { nodeKnownToServe } from './cluster-node.js';

/** Identifies a server and one of its connections. */
export interface ConnectionIdentity {
  /** `run_id`: it changes with a restart, when connection ids start again. */
  readonly server: string;
  /** `CLIENT ID`. */
  readonly id: number;
}

/** The identities of connections that may be blocked, read from the server when the connection was made. */
const learned = new WeakMap<Redis, Promise<ConnectionIdentity | undefined>>();

/**
 * Reads the identity of each connection of a client as soon as it is made, before any other command: a command behind a blocking one gets
 * its reply only after it. Call it before the client connects.
 */
export function learnIdentities(client: RedisClient): void {
  onConnection(client, 'connect', (node) => {
    learned.set(
      node,
      ask(node).catch(() => undefined),
    );
  });
}

/** Calls back whenever a connection of the client reaches a state: a cluster's client has one connection per node. */
export function onConnection(client: RedisClient, state: 'connect' | 'ready', reached: (node: Redis) => void): void {
  const listen = (node: Redis): void => {
    node.on(state, () => reached(node));
  };
  for (const node of client instanceof Cluster ? client.nodes('all') : [client]) listen(node);
  if (client instanceof Cluster) client.on('+node', listen);
}

/**
 * The identity of the client's connection to the server that serves `key`; undefined while there is none. For a client from `blocking` it
 * resolves without a command, to undefined if the user lacks the right to read it.
 */
export async function connectionIdentity(client: RedisClient, key: string): Promise<ConnectionIdentity | undefined> {
  const node = connectionServing(client, key);
  return node && (learned.get(node) ?? ask(node));
}

/**
 * The connection that `connectionIdentity` describes, undefined while there is none. Sends nothing. On a cluster it becomes another
 * object as soon as another server is known to serve the key.
 */
export function connectionServing(client: RedisClient, key: string): Redis | undefined {
  const node = client instanceof Cluster ? nodeKnownToServe(client, key) : client;
  return node?.status === 'ready' ? node : undefined;
}

async function ask(node: Redis): Promise<ConnectionIdentity | undefined> {
  const [id, info] = await Promise.all([node.client('ID'), node.info('server')]);
  const server = /^run_id:(\w+)/m.exec(info)?.[1];
  return server === undefined ? undefined : { server, id };
}
