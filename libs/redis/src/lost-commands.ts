import type { Redis } from 'ioredis';
import { ConnectionLostError } from './redis-failure.js';

/**
 * Makes a client reject what was in flight on a lost connection in our words. ioredis says "Reached the max retries per request limit"
 * and advises an option that is not the user's: it is how nothing is ever sent twice.
 */
export function sayLost(client: Redis): void {
  // Its types keep this method to themselves.
  const flush: unknown = Reflect.get(client, 'flushQueue');
  if (!(flush instanceof Function)) throw new Error('this ioredis rejects what was in flight in another way');
  Reflect.set(client, 'flushQueue', (error: unknown, options?: object) => {
    const isAdvice = error instanceof Error && error.name === 'MaxRetriesPerRequestError';
    return Reflect.apply(flush, client, [isAdvice ? new ConnectionLostError() : error, options]);
  });
}
