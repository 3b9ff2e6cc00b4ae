import { asBytes, asList, asText, orNothing, type RedisClient } from '@millrace/redis';
import type { EntryPlace } from '../model/entry-chain.js';
import type { PartitionKeys } from './keys.js';

/** A batch as stored in the log. */
export interface StoredBatch extends EntryPlace {
  readonly frame: Buffer;
  /** The timestamp of all its records: the time of the append, if the topic says so; undefined: each has its own. */
  readonly timestamp: number | undefined;
}

/**
 * The batches from the one that holds `offset` on, oldest first; empty at the log's end. The first may begin
 * before `offset` (skip its first records) or after it (retention has removed those before).
 *
 * @param blockMs waits up to this time for a batch; needs its own client
 */
export async function readBatches(
  client: RedisClient,
  keys: PartitionKeys,
  offset: number,
  { count, blockMs }: { readonly count: number; readonly blockMs?: number },
): Promise<StoredBatch[]> {
  const block = blockMs === undefined ? [] : ['BLOCK', blockMs];
  const reply = await client.callBuffer('XREAD', 'COUNT', count, ...block, 'STREAMS', keys.records, `0-${offset}`);
  const streams = orNothing(reply, asList);
  if (streams === undefined) return [];
  return asList(asList(streams[0])[1]).map(readEntry);
}

/** The batch that ends at `endOffset`; undefined when there is none. */
export async function entryAt(
  client: RedisClient,
  keys: PartitionKeys,
  endOffset: number,
): Promise<StoredBatch | undefined> {
  const id = `0-${endOffset}`;
  const [entry] = asList(await client.callBuffer('XRANGE', keys.records, id, id));
  return orNothing(entry, readEntry);
}

/** One entry of a stream, as XREAD and XRANGE return it. */
export function readEntry(reply: unknown): StoredBatch {
  const [id, fields] = asList(reply);
  // Fields are `b <frame> t <time> n <nonce> p <nonce before> a <append time> l 1 …`, in this order.
  const [, frame, , , , nonce, , previousNonce, , appendedAt, , isTimestamp] = asList(fields);
  return {
    endOffset: endOffsetOf(asText(id)),
    frame: asBytes(frame),
    // A string instead of bytes, which are a view of the whole reply: an idle owner would keep all of it in memory.
    nonce: nonce instanceof Buffer ? asText(nonce) : undefined,
    previousNonce: previousNonce instanceof Buffer ? asText(previousNonce) : undefined,
    timestamp: isTimestamp instanceof Buffer ? timeOf(appendedAt) : undefined,
  };
}

/** Any client may write into a stream, with any id. */
function endOffsetOf(id: string): number {
  const offset = id.startsWith('0-') ? Number(id.slice(2)) : Number.NaN;
  return Number.isSafeInteger(offset) ? offset : Number.NaN;
}

/** Undefined for an invalid time: any client may write into a stream. */
function timeOf(field: unknown): number | undefined {
  const time = field instanceof Buffer ? Number(asText(field)) : Number.NaN;
  return Number.isSafeInteger(time) ? time : undefined;
}
