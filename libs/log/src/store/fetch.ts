import { asInteger, asList, asText, orNothing, type Redis, type RedisClient } from '@millrace/redis';
import { readEntry, type StoredBatch } from './read.js';

/** One partition's part of a fetch. */
export interface Fetch {
  /** Key of the partition's stream. */
  readonly records: string;
  readonly offset: number;
}

/**
 * Reads several partitions at once and waits up to `blockMs` until one of them has something. Needs a client of its
 * own, and all keys on one server. Answers the batches by key; partitions with nothing new are missing.
 */
export async function fetchTogether(
  client: RedisClient,
  fetches: readonly Fetch[],
  { count, blockMs }: { readonly count: number; readonly blockMs: number },
): Promise<Map<string, StoredBatch[]>> {
  const keys = fetches.map((fetch) => fetch.records);
  const ids = fetches.map((fetch) => `0-${fetch.offset}`);
  const reply = await client.callBuffer('XREAD', 'COUNT', count, 'BLOCK', blockMs, 'STREAMS', ...keys, ...ids);
  return readStreams(reply);
}

/** Reads one partition without waiting: for a cluster, where each partition is in a slot of its own. */
export async function fetchOne(client: RedisClient, fetch: Fetch, count: number): Promise<Map<string, StoredBatch[]>> {
  return readStreams(await client.callBuffer('XREAD', 'COUNT', count, 'STREAMS', fetch.records, `0-${fetch.offset}`));
}

/** The id of a client's connection, by which another connection can end its wait. */
export async function connectionId(client: Redis): Promise<number> {
  return asInteger(await client.call('CLIENT', 'ID'));
}

/** Ends the wait of a blocked connection; false when it was not waiting. */
export async function endWait(client: Redis, id: number): Promise<boolean> {
  return (await client.call('CLIENT', 'UNBLOCK', id)) === 1;
}

function readStreams(reply: unknown): Map<string, StoredBatch[]> {
  const streams = new Map<string, StoredBatch[]>();
  for (const stream of orNothing(reply, asList) ?? []) {
    const [key, entries] = asList(stream);
    streams.set(asText(key), asList(entries).map(readEntry));
  }
  return streams;
}
