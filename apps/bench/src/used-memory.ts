import { Redis } from 'ioredis';
import { type Place, urlOf } from './place.js';

/** How many bytes of Redis something takes: what is in use after it less what was before it. */
export async function usedMemoryOf(place: Place, act: () => Promise<void>): Promise<number> {
  const client = new Redis(urlOf(place, 'redis'));
  try {
    const before = await usedMemory(client);
    await act();
    return (await usedMemory(client)) - before;
  } finally {
    client.disconnect();
  }
}

/**
 * All but the buffers of connections, which come and go. They are added up from `CLIENT LIST`, which counts them when asked:
 * `used_memory_dataset` takes what each connection had up to a second ago, and leaves out what the table of keys costs.
 */
async function usedMemory(client: Redis): Promise<number> {
  const memory = await client.info('memory');
  const clients = String(await client.client('LIST'));
  const buffers = [...clients.matchAll(/ tot-mem=(\d+)/g)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  return Number(/^used_memory:(\d+)/m.exec(memory)?.[1]) - buffers;
}
