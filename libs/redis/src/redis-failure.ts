import { DamagedStateError, isInstance, messageOf, WriteError, type WriteFailure } from '@millrace/core';

/** What a failed command means to its caller. */
export interface RedisFailure {
  /** Which kind of failure it is for a write. */
  readonly failure: WriteFailure;
  /** Whether the command may have been executed nevertheless: it was sent, and no reply came. */
  readonly mayBeWritten: boolean;
  /** Whether the same command may succeed later. */
  readonly isTemporary: boolean;
  /** A description of the failure. Holds no credentials. */
  readonly description: string;
}

/**
 * Prefixes of error replies after which the server has done nothing. Redis checks memory, role and rights before a script's first write.
 */
const refusals: readonly (readonly [
  prefix: string,
  failure: WriteFailure,
  isTemporary: boolean,
  description: string,
])[] = [
  ['OOM', 'full', true, 'Redis is full (maxmemory reached)'],
  ['READONLY', 'read-only', true, 'Redis is a read-only replica'],
  ['NOREPLICAS', 'not-enough-replicas', true, 'Redis has too few replicas to accept writes (min-replicas-to-write)'],
  ['MISCONF', 'unavailable', true, 'Redis cannot write its data to disk and refuses writes'],
  ['LOADING', 'unavailable', true, 'Redis is loading its data'],
  ['BUSY', 'unavailable', true, 'Redis is busy with a script'],
  ['CLUSTERDOWN', 'unavailable', true, 'the Redis cluster is down'],
  ['MASTERDOWN', 'unavailable', true, 'the Redis master is away'],
  ['MOVED', 'unavailable', true, 'another node of the Redis cluster serves the slot now'],
  ['ASK', 'unavailable', true, 'a slot of the Redis cluster is being moved'],
  ['TRYAGAIN', 'unavailable', true, 'a slot of the Redis cluster is being moved'],
  ['NOPERM', 'denied', false, 'the Redis user lacks a permission'],
  ['NOAUTH', 'denied', false, 'Redis requires a password'],
  ['WRONGPASS', 'denied', false, 'Redis refused the user or password'],
];

/** What Redis 7.0 says, and newer servers and Valkey, when a user may not send a command of a script. */
const deniedInScript = /^ERR (The user executing the script can't|ACL failure in script)/;

/** The prefix that a cluster's client puts before the last error it received. */
const redirections = /^Too many Cluster redirections\. Last error: (\w*Error: )?/;

/** There was no connection over which to send the command. */
export class NotSentError extends Error {}

/** The connection was lost before the reply to a sent command arrived. */
export class ConnectionLostError extends Error {
  constructor() {
    super('the connection to Redis was lost before it replied');
  }
}

/** The message of ioredis without a connection: it advises an option of ioredis. */
const noConnection = /^(Stream isn't writeable|Cluster isn't ready)/;

/** An error's message, or Millrace's own where that of ioredis advises an option of ioredis. */
export function failureText(error: unknown): string {
  const message = messageOf(error);
  return noConnection.test(message) ? redisFailure(error).description : message;
}

/** Whether a script stopped because its user may not send one of its commands. */
export function isDeniedInScript(error: unknown): boolean {
  return deniedInScript.test(messageOf(error).replace(redirections, ''));
}

/** Reads an error of ioredis or of the server. */
export function redisFailure(error: unknown): RedisFailure {
  const message = messageOf(error).replace(redirections, '');
  for (const [prefix, failure, isTemporary, description] of refusals) {
    if (message.startsWith(prefix)) return { failure, mayBeWritten: false, isTemporary, description };
  }
  // What the script did before stays done.
  if (isDeniedInScript(error)) {
    const description = 'the Redis user lacks a permission that a script needs';
    return { failure: 'denied', mayBeWritten: true, isTemporary: false, description };
  }
  if (message.startsWith('UNBLOCKED')) {
    const description = 'the Redis server was made a replica while the command waited';
    return { failure: 'unavailable', mayBeWritten: true, isTemporary: true, description };
  }
  if (isInstance(error, WriteError)) {
    const { failure, mayBeWritten } = error;
    const isTemporary = failure !== 'denied' && failure !== 'rejected';
    return { failure, mayBeWritten, isTemporary, description: message.replace(/\.$/, '') };
  }
  if (isInstance(error, DamagedStateError)) {
    return { failure: 'rejected', mayBeWritten: true, isTemporary: false, description: message.replace(/\.$/, '') };
  }
  if (isInstance(error, Error) && error.name === 'ReplyError') {
    return { failure: 'rejected', mayBeWritten: true, isTemporary: false, description: `Redis replied: ${message}` };
  }
  // A reply that is not what its reader expects.
  if (isInstance(error, TypeError)) {
    return { failure: 'rejected', mayBeWritten: true, isTemporary: false, description: message.replace(/\.$/, '') };
  }
  const wasNotSent = isInstance(error, NotSentError) || noConnection.test(message);
  const description = wasNotSent ? 'there is no connection to Redis' : 'the connection to Redis was lost';
  return { failure: 'unavailable', mayBeWritten: !wasNotSent, isTemporary: true, description };
}
