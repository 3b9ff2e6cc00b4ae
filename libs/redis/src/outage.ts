import { isInstance, MillraceError, UnavailableError } from '@millrace/core';
import { redisFailure } from './redis-failure.js';

/**
 * What to tell the caller of something that failed: an outage in our own words, with ioredis' as the cause; anything else
 * as it is.
 *
 * @param what words that finish "could not …"
 */
export function asOutage(what: string, error: unknown): unknown {
  if (!isInstance(error, Error) || error instanceof MillraceError || error instanceof TypeError) return error;
  const { failure, description } = redisFailure(error);
  if (failure !== 'unavailable') return error;
  return new UnavailableError(`could not ${what}: ${description}. Try again.`, { cause: error });
}
