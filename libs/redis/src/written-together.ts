import { Redis, type RedisClient } from './client.js';

/**
 * What `ask` asks of one server is written at once when `ask` returns: of many small commands, the writes take longer than
 * all else. A cluster is written to as always.
 */
export function writtenTogether(client: RedisClient, ask: () => void): void {
  // There is none before the first connection.
  const stream: Redis['stream'] | undefined = client instanceof Redis ? client.stream : undefined;
  stream?.cork();
  try {
    ask();
  } finally {
    stream?.uncork();
  }
}
