import { Redis } from 'ioredis';
import { type Place, urlOf } from './place.js';

/** How many bytes of Redis something takes: `used_memory` after it less before it. */
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

async function usedMemory(client: Redis): Promise<number> {
  const info = await client.info('memory');
  return Number(/used_memory_dataset:(\d+)/.exec(info)?.[1]);
}
