// Stands in for @millrace/testing when the suites of one server are run on a cluster (`npm run test:cluster`).
import type { RedisServerOptions } from '../../libs/testing/src/index.js';
import { ServerOnCluster } from './server-on-cluster.js';

export * from '../../libs/testing/src/index.js';

export function startRedis(options?: RedisServerOptions): Promise<ServerOnCluster> {
  return ServerOnCluster.start(options);
}
