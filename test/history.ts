import type { RedisServer } from '@millrace/testing';

type Client = ReturnType<RedisServer['client']>;

/** Everything that Redis knows under these keys, as a replica would have it. */
export async function copyOf(client: Client, pattern: string): Promise<Map<string, Buffer>> {
  const keys = await client.keys(pattern);
  const dumps = await Promise.all(keys.map((key) => client.dumpBuffer(key)));
  return new Map(keys.map((key, index) => [key, dumps[index] ?? Buffer.alloc(0)]));
}

/** Each slot at once, so that nobody sees half of it: as if another server answered from now on, over the same connection. */
export async function become(client: Client, copy: ReadonlyMap<string, Buffer>): Promise<void> {
  const tagOf = (key: string) => /\{(.*?)\}/.exec(key)?.[1];
  for (const tag of new Set([...copy.keys()].map(tagOf))) {
    const transaction = client.multi();
    for (const [key, dump] of copy) if (tagOf(key) === tag) transaction.restore(key, 0, dump, 'REPLACE');
    await transaction.exec();
  }
}
