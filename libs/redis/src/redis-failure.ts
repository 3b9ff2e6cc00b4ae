import { DamagedStateError, isInstance, messageOf, type WriteFailure } from '@millrace/core';

/** What a failed command means to the one who sent it. */
export interface RedisFailure {
  /** Which kind of failure it is for a write. */
  readonly failure: WriteFailure;
  /** Whether the command may have been executed all the same: it was sent, and no reply came. */
  readonly mayBeWritten: boolean;
  /** Whether the same command may succeed later. */
  readonly isTemporary: boolean;
  /** What went wrong, in words. Holds no credentials. */
  readonly description: string;
}

/** Reply prefixes of a server that did nothing. Redis checks memory, role and rights before a script's first write. */
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
  ['NOAUTH', 'denied', false, 'Redis asks for a password'],
  ['WRONGPASS', 'denied', false, 'Redis refused the user or password'],
];

/** What a cluster's client puts before the last of the errors that it met on the way. */
const redirections = /^Too many Cluster redirections\. Last error: (\w*Error: )?/;

/** There was no connection to send a command over. */
export class NotSentError extends Error {}

/** The connection was lost before a command that was sent had its reply. */
export class ConnectionLostError extends Error {
  constructor() {
    super('the connection to Redis was lost before it replied');
  }
}

/** What ioredis says where there is no connection: it advises an option of its own. */
const noConnection = /^(Stream isn't writeable|Cluster isn't ready)/;

/** An error's message, or our own words where ioredis would advise an option of its own. */
export function failureText(error: unknown): string {
  const message = messageOf(error);
  return noConnection.test(message) ? redisFailure(error).description : message;
}

/** Reads an error of ioredis or of the server. */
export function redisFailure(error: unknown): RedisFailure {
  const message = messageOf(error).replace(redirections, '');
  for (const [prefix, failure, isTemporary, description] of refusals) {
    if (message.startsWith(prefix)) return { failure, mayBeWritten: false, isTemporary, description };
  }
  if (message.startsWith('UNBLOCKED')) {
    const description = 'the Redis server was made a replica while the command waited';
    return { failure: 'unavailable', mayBeWritten: true, isTemporary: true, description };
  }
  if (isInstance(error, DamagedStateError)) {
    return { failure: 'rejected', mayBeWritten: true, isTemporary: false, description: message.replace(/\.$/, '') };
  }
  if (isInstance(error, Error) && error.name === 'ReplyError') {
    return { failure: 'rejected', mayBeWritten: true, isTemporary: false, description: `Redis answered: ${message}` };
  }
  const wasNotSent = isInstance(error, NotSentError) || noConnection.test(message);
  const description = wasNotSent ? 'there is no connection to Redis' : 'the connection to Redis was lost';
  return { failure: 'unavailable', mayBeWritten: !wasNotSent, isTemporary: true, description };
}
