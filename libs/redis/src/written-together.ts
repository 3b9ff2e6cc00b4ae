import { Redis, type RedisClient } from './client.js';

/**
 * Writes all commands that `ask` sends to one server in one call when `ask` returns: with many small commands, the writes take longer
 * than everything else. Writes to a cluster are unchanged.
 */
export function writtenTogether(client: RedisClient, ask: () => void): void {
  // There is no stream before the first connection.
  const stream: Redis['stream'] | undefined = client instanceof Redis ? client.stream : undefined;
  stream?.cork();
  try {
    ask();
  } finally {
    stream?.uncork();
  }
}
