import type { RedisClient } from './client.js';
import { writtenTogether } from './written-together.js';

const waiting = new WeakMap<RedisClient, (() => void)[]>();

/**
 * Asks at the end of this turn of the event loop, in one write with all else that was left for then. For what is small, frequent
 * and not urgent: by itself a write and its read take a process, and Redis, longer than the command.
 */
export function writtenSoon<T>(client: RedisClient, ask: () => Promise<T>): Promise<T> {
  return new Promise((resolve) => {
    // What throws at once is its own affair: the others are asked all the same.
    const begin = (): void => resolve((async () => ask())());
    const others = waiting.get(client);
    if (others !== undefined) {
      others.push(begin);
      return;
    }
    const all = [begin];
    waiting.set(client, all);
    setImmediate(() => {
      waiting.delete(client);
      writtenTogether(client, () => {
        for (const each of all) each();
      });
    });
  });
}
