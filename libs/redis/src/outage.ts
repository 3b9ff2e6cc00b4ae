import { isInstance, MillraceError, UnavailableError } from '@millrace/core';
import { redisFailure } from './redis-failure.js';
import { commandFailure } from './script-failure.js';

/**
 * The error for the caller of a failed operation: for an outage an UnavailableError with the error of ioredis as its cause; any other
 * error as it is.
 *
 * @param what words that finish "could not …"
 */
export function asOutage(what: string, error: unknown): unknown {
  if (!isInstance(error, Error) || error instanceof MillraceError || error instanceof TypeError) return error;
  const { failure, description } = redisFailure(error);
  if (failure !== 'unavailable') return commandFailure(error);
  return new UnavailableError(`could not ${what}: ${description}. Try again.`, { cause: error });
}
