import type { Cluster } from './client.js';

/** All that ioredis says of a connection which was never there; also of those over which a cluster's client asks its nodes. */
const sayingNothing = 'Connection is closed.';

/** Why a node of a cluster cannot be talked to: the error, or what the node says when it is dialled once more. */
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

/** Whether it is what a cluster's client says when it could talk to no node: `nodeProblem` tells more. */
export function saysNothing(error: Error & { lastNodeError?: Error }): boolean {
  return (error.lastNodeError ?? error).message === sayingNothing;
}
