import type { RedisClient } from '@millrace/redis';

/** Waits until somebody wakes a consumer of the queue; answers in whose name. Undefined when nobody did for so long. */
export async function nextWakeUp(client: RedisClient, wakeKey: string, blockMs: number): Promise<string | undefined> {
  const reply = await client.blpop(wakeKey, blockMs / 1000);
  return reply?.[1];
}
