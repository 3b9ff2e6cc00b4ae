import { isInstance, MillraceError, UnavailableError, WriteError } from '@millrace/core';
import { redisFailure } from './redis-failure.js';
import { commandFailure } from './script-failure.js';

/**
 * The error for the caller of an operation that failed, with the error of ioredis as its cause: an UnavailableError for an outage, a
 * WriteError where Redis refuses (no right, no memory, a replica). Any other error is returned as it is.
 *
 * @param what words that finish "could not …"
 */
export function callError(what: string, error: unknown): unknown {
  if (!isInstance(error, Error) || error instanceof MillraceError || error instanceof TypeError) return error;
  const { failure, mayBeWritten, description } = redisFailure(error);
  if (failure === 'rejected') return commandFailure(error);
  const message = `could not ${what}: ${description}.`;
  if (failure === 'unavailable') return new UnavailableError(`${message} Try again.`, { cause: error });
  return new WriteError(message, { failure, mayBeWritten, cause: error });
}
