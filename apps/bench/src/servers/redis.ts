import { findRedisBinary, startRedis } from '@millrace/testing';
import type { Durability } from '../place.js';
import type { AbsentServer, FoundServer } from './found-server.js';

/** A Redis of its own for every measurement: nothing of the last one is in its memory or its files. */
export async function findRedis(durability: Durability): Promise<FoundServer | AbsentServer> {
  const binary = await findRedisBinary().catch(() => undefined);
  if (binary === undefined) return { absent: 'no redis-server or valkey-server on PATH' };
  const kept = durability === 'none' ? 'no persistence' : `append-only file, appendfsync ${durability}`;
  return {
    description: `${binary.product}-server ${binary.version}, ${kept}`,
    lease: async () => {
      const server = await startRedis({
        aof: durability === 'none' ? false : durability,
        // A rewrite of the file in the middle of a measurement would be in one number and not in the next.
        config: { 'auto-aof-rewrite-percentage': 0 },
      });
      return { place: { redisUrl: server.url }, release: () => server.stop() };
    },
    stop: async () => {},
  };
}
