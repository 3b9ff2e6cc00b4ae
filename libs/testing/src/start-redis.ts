import { type RedisServerOptions, redisArguments } from './redis-options.js';
import type { RedisServer } from './redis-server.js';
import { startServer } from './start-server.js';

/**
 * Starts a real Redis (or Valkey) server on 127.0.0.1 and waits until it replies and has loaded its data. It ends with `stop()`, at the
 * latest with this process, however this ends.
 *
 * @throws {OptionsError} the options are wrong
 * @throws {Error} no Redis is installed, or another server uses the data folder
 * @throws {RedisStartError} the server does not become ready; the message has its output
 */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  return startServer(options, redisArguments);
}
