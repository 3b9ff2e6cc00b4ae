import { join } from 'node:path';
import { startRedis } from '@millrace/testing';

/** Where the demo's Redis is, and how to end it. */
export interface DemoRedis {
  readonly url: string;
  readonly description: string;
  /** Starts it again, with its data, when it has ended. Answers whether it had. */
  revive(): Promise<boolean>;
  stop(): Promise<void>;
}

/** `REDIS_URL` when it is set; else a Redis of the demo's own, with its data kept in a local folder. */
export async function openDemoRedis(): Promise<DemoRedis> {
  const url = process.env.REDIS_URL;
  if (url !== undefined && url !== '') {
    return { url, description: 'Redis of REDIS_URL', revive: async () => false, stop: async () => undefined };
  }
  const dir = join(process.cwd(), '.millrace', 'demo');
  const server = await startRedis({ dir, aof: 'always' });
  return {
    url: server.url,
    description: `Redis on port ${server.port}, data in .millrace/demo`,
    revive: async () => {
      if (server.isRunning) return false;
      await server.restart();
      return true;
    },
    stop: () => server.stop(),
  };
}
