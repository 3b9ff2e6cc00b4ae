/**
 * The connection to Redis or Valkey, and Lua scripts over it.
 *
 * @module @millrace/redis
 */

export { callError } from './call-error.js';
export { becomesReady, Cluster, maxBlockMs, Redis, type RedisClient } from './client.js';
export { nodeKnownToServe } from './cluster-node.js';
export { type DownKind, RedisConnection } from './connection.js';
export { type ConnectionIdentity, connectionIdentity, connectionServing, onConnection } from './connection-identity.js';
export {
  type Address,
  type ConnectionInput,
  type ConnectionOptions,
  keyPrefix,
  resolveConnectionOptions,
} from './connection-options.js';
export { canWaitForDisk } from './disk-wait.js';
export { PreparedArguments } from './prepared-arguments.js';
export { encodeArgument, PreparedCommand } from './prepared-command.js';
export { couldNot, type Reaching, reach } from './reach.js';
export { failureText, type RedisFailure, redisFailure } from './redis-failure.js';
export { type ReplicaDemand, type ReplicatedReply, runWithReplicas } from './replicated-call.js';
export { asBytes, asFields, asInteger, asList, asText, orNothing } from './reply.js';
export { Script } from './script.js';
export { type ScriptArgument, type ScriptCall, ScriptCommand } from './script-command.js';
export { argNames, keyNames } from './script-names.js';
export { checkServer, parseServerInfo, type ServerInfo } from './server-check.js';
export { writtenSoon } from './written-soon.js';
export { writtenTogether } from './written-together.js';
