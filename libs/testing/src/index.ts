/**
 * Real Redis servers, clusters and Sentinels for tests, and tools that break them.
 *
 * @module @millrace/testing
 */
export { type ClusterClientOptions, RedisCluster } from './cluster.js';
export { FaultProxy, type ProxyTarget, startProxy } from './fault-proxy.js';
export { freePort } from './free-port.js';
export { type Guarded, guarded } from './guard.js';
export { Program, type ProgramExit, type ProgramOptions, spawnProgram } from './program.js';
export { findRedisBinary, type RedisBinary } from './redis-binary.js';
export type { ClientOptions } from './redis-clients.js';
export type { RedisServerOptions, RedisSetting, TlsFiles } from './redis-options.js';
export { RedisStartError } from './redis-process.js';
export { RedisServer } from './redis-server.js';
export { Replicated, type ReplicatedOptions, startReplicated } from './replicated.js';
export { Sentinels } from './sentinels.js';
export { type ClusterOptions, startCluster } from './start-cluster.js';
export { startRedis } from './start-redis.js';
export { type SentinelOptions, startSentinels } from './start-sentinels.js';
export { type Stoppable, stopEverything } from './started.js';
export { type WaitOptions, waitFor } from './wait-for.js';
