import type { Redis } from 'ioredis';
import { ConnectionLostError } from './redis-failure.js';

/**
 * Makes a client reject the commands in flight on a lost connection with `ConnectionLostError`. ioredis would say "Reached the max
 * retries per request limit" and advise an option that users cannot set: without retries no command is sent twice.
 */
export function rejectLostCommands(client: Redis): void {
  // Its types keep this method to themselves.
  const flush: unknown = Reflect.get(client, 'flushQueue');
  if (!(flush instanceof Function)) throw new Error('this ioredis rejects what was in flight in another way');
  Reflect.set(client, 'flushQueue', (error: unknown, options?: object) => {
    const isAdvice = error instanceof Error && error.name === 'MaxRetriesPerRequestError';
    return Reflect.apply(flush, client, [isAdvice ? new ConnectionLostError() : error, options]);
  });
}
