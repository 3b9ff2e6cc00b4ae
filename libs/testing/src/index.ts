export { freePort } from './free-port.js';
export { findRedisBinary, type RedisBinary } from './redis-binary.js';
export type { ClientOptions } from './redis-clients.js';
export type { RedisServerOptions, RedisSetting } from './redis-options.js';
export { RedisStartError } from './redis-process.js';
export type { RedisServer } from './redis-server.js';
export { startRedis } from './start-redis.js';
export { type Stoppable, stopEverything } from './started.js';
export { type WaitOptions, waitFor } from './wait-for.js';
