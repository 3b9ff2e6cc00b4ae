import { type Place, urlOf } from './place.js';

/** A connection of ours. What it needs is loaded in the process that measures it. */
export async function connect(place: Place) {
  const { RedisConnection } = await import('@millrace/redis');
  return new RedisConnection({ url: urlOf(place, 'redis') }).open();
}

/** Leaves the server as empty as it was: each point of each pass is measured on one. */
export async function clear(connection: Awaited<ReturnType<typeof connect>>): Promise<void> {
  await connection.commands.call('FLUSHALL', 'SYNC');
  connection.close();
}
