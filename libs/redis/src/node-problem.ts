import type { Cluster } from './client.js';

/**
 * The only message of ioredis for a connection that never existed; it also has it for the connections over which a cluster's client
 * discovers its nodes.
 */
const sayingNothing = 'Connection is closed.';

/** Why a node of a cluster cannot be reached: the error, or the one of another attempt to connect. */
export async function nodeProblem(cluster: Cluster, address: string, error: Error): Promise<Error> {
  const node = cluster.nodes('all').find(({ options }) => `${options.host}:${options.port}` === address);
  if (error.message !== sayingNothing || node === undefined) return error;
  const probe = node.duplicate({ retryStrategy: () => null });
  let problem = error;
  probe.on('error', (cause: Error) => {
    problem = cause;
  });
  await probe.connect().catch(() => undefined);
  probe.disconnect();
  return problem;
}

/** Whether it is the error of a cluster's client that reached no node: `nodeProblem` gives the reason. */
export function saysNothing(error: Error & { lastNodeError?: Error }): boolean {
  return (error.lastNodeError ?? error).message === sayingNothing;
}
