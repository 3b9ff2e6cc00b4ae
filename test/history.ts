import type { RedisServer } from '@millrace/testing';

type Client = ReturnType<RedisServer['client']>;

/** The values of all keys that match, as a replica would have them. */
export async function copyOf(client: Client, pattern: string): Promise<Map<string, Buffer>> {
  const keys = await client.keys(pattern);
  const dumps = await Promise.all(keys.map((key) => client.dumpBuffer(key)));
  return new Map(keys.map((key, index) => [key, dumps[index] ?? Buffer.alloc(0)]));
}

/** Restores each slot in one transaction, so that no client sees half of it: as after a failover to another server, over the same connection. */
export async function become(client: Client, copy: ReadonlyMap<string, Buffer>): Promise<void> {
  const tagOf = (key: string) => /\{(.*?)\}/.exec(key)?.[1];
  for (const tag of new Set([...copy.keys()].map(tagOf))) {
    const transaction = client.multi();
    for (const [key, dump] of copy) if (tagOf(key) === tag) transaction.restore(key, 0, dump, 'REPLACE');
    await transaction.exec();
  }
}
