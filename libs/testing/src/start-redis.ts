import { type RedisServerOptions, redisArguments } from './redis-options.js';
import type { RedisServer } from './redis-server.js';
import { startServer } from './start-server.js';

/**
 * Starts a real Redis (or Valkey) server on 127.0.0.1 and waits until it answers and has loaded its data. It ends
 * with `stop()`, and at the latest when this process ends, in whatever way.
 *
 * @throws {OptionsError} when the options are wrong
 * @throws {Error} when no Redis is installed, or another server uses the data folder
 * @throws {RedisStartError} when the server does not become ready; the message carries what it printed
 */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  return startServer(options, redisArguments);
}
