import type { RedisClient } from './client.js';
import { writtenTogether } from './written-together.js';

const waiting = new WeakMap<RedisClient, (() => void)[]>();

/**
 * Sends at the end of this turn of the event loop, in one write with everything else that waits for it. For small, frequent commands that
 * are not urgent: a separate write and read cost the process, and Redis, more than the command.
 */
export function writtenSoon<T>(client: RedisClient, ask: () => Promise<T>): Promise<T> {
  return new Promise((resolve) => {
    // A call that throws synchronously does not keep the others from being sent.
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
