import {
  asInteger,
  asList,
  asText,
  encodeArgument,
  orNothing,
  PreparedCommand,
  type Redis,
  type RedisClient,
} from '@millrace/redis';
import { readEntry, type StoredBatch } from './read.js';

/** The part of a fetch for one partition. */
export interface Fetch {
  /** Key of the partition's stream. */
  readonly records: string;
  /** The offset to read from. */
  readonly readFrom: number;
}

/** The keys of a fetch, encoded once. A reader that reads the same partitions again and again keeps it. */
export class FetchKeys {
  #records: readonly string[] = [];
  #encoded = '';

  encode(fetches: readonly Fetch[]): string {
    const isSame =
      fetches.length === this.#records.length && fetches.every(({ records }, at) => records === this.#records[at]);
    if (!isSame) {
      this.#records = fetches.map(({ records }) => records);
      this.#encoded = this.#records.map(encodeArgument).join('');
    }
    return this.#encoded;
  }
}

/**
 * Reads several partitions in one call and waits up to `blockMs` until one of them has something. Needs its own client
 * and all keys on one server. Resolves to the batches by key; partitions with nothing new are missing.
 */
export async function fetchTogether(
  client: RedisClient,
  fetches: readonly Fetch[],
  { keys, count, blockMs }: { readonly keys: FetchKeys; readonly count: number; readonly blockMs: number },
): Promise<Map<string, StoredBatch[]>> {
  const ids = fetches.map(({ readFrom }) => encodeArgument(`0-${readFrom}`));
  const places = { encoded: keys.encode(fetches) + ids.join(''), count: fetches.length * 2 };
  const command = new PreparedCommand('xread', ['COUNT', `${count}`, 'BLOCK', `${blockMs}`, 'STREAMS'], places);
  client.sendCommand(command);
  return readStreams(await command.promise);
}

/** Reads one partition without waiting: for a cluster, where each partition has its own slot. */
export async function fetchOne(client: RedisClient, fetch: Fetch, count: number): Promise<Map<string, StoredBatch[]>> {
  return readStreams(await client.callBuffer('XREAD', 'COUNT', count, 'STREAMS', fetch.records, `0-${fetch.readFrom}`));
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
