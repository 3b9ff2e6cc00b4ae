import { type Cluster, Command, type Redis } from './client.js';
import { NotSentError } from './redis-failure.js';

/**
 * The client of the node that serves a key's slot, according to the cluster's client. Commands that must share one connection are sent
 * through it: while a node is missing, the cluster's client gives each command of a pipeline to any other node, writes only some of them,
 * and from then on resolves the commands of that connection with each other's replies.
 *
 * @throws {NotSentError} that node cannot be reached
 */
export async function nodeServing(cluster: Cluster, key: string): Promise<Redis> {
  const known = nodeKnownToServe(cluster, key);
  if (known !== undefined) return known;
  // For a single command the client follows the redirection and remembers the node.
  await cluster.exists(key);
  const found = nodeKnownToServe(cluster, key);
  if (found === undefined) throw new NotSentError(`no connection to the node that serves slot ${slotOf(key)}`);
  return found;
}

/** As `nodeServing`, but sends nothing: undefined when the cluster's client does not know the node. */
export function nodeKnownToServe(cluster: Cluster, key: string): Redis | undefined {
  return nodeAt(cluster, cluster.slots[slotOf(key)]?.[0]);
}

/** The client of a node, by its `host:port`. */
export function nodeAt(cluster: Cluster, address: string | undefined): Redis | undefined {
  return cluster.nodes('all').find(({ options }) => `${options.host}:${options.port}` === address);
}

function slotOf(key: string): number {
  return new Command('exists', [key]).getSlot() ?? 0;
}
