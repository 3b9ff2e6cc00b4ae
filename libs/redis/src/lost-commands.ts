import type { Redis } from 'ioredis';
import { ConnectionLostError } from './redis-failure.js';

/**
 * Makes a client reject the commands in flight on a lost connection with `ConnectionLostError`. The message of ioredis, "Reached the max
 * retries per request limit", advises an option that users cannot set: no command is sent twice, so there are no retries.
 */
export function rejectLostCommands(client: Redis): void {
  // The types of ioredis do not declare this method.
  const flush: unknown = Reflect.get(client, 'flushQueue');
  if (!(flush instanceof Function))
    throw new Error('this version of ioredis rejects commands in flight in another way');
  Reflect.set(client, 'flushQueue', (error: unknown, options?: object) => {
    const isAdvice = error instanceof Error && error.name === 'MaxRetriesPerRequestError';
    return Reflect.apply(flush, client, [isAdvice ? new ConnectionLostError() : error, options]);
  });
}
