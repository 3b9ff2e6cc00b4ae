import { asBytes, asList, asText, orNothing, type RedisClient } from '@millrace/redis';
import type { PartitionKeys } from './keys.js';

/** A batch as it stands in the log. */
export interface StoredBatch {
  /** The log's end after the batch; its last record has the offset before. */
  readonly endOffset: number;
  readonly frame: Buffer;
  /** A number in decimal. Tells its append from any other; undefined in what an older version wrote. */
  readonly nonce: string | undefined;
  /** The nonce of the append before it. */
  readonly previousNonce: string | undefined;
  /** The timestamp of all its records: when it was appended, where the topic says so; undefined: each has its own. */
  readonly timestamp: number | undefined;
}

/**
 * The batches from the one that holds `offset` on, oldest first; empty at the log's end. The first may begin
 * before `offset` (skip its first records) or after it (retention has removed what was there).
 *
 * @param blockMs waits so long for a batch; needs a client of one's own
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

/** One entry of a stream, as XREAD and XRANGE answer it. */
export function readEntry(reply: unknown): StoredBatch {
  const [id, fields] = asList(reply);
  // Fields are `b <frame> t <time> n <nonce> p <nonce before> a <append time> l 1 …`, in this order.
  const [, frame, , , , nonce, , previousNonce, , appendedAt, , isTimestamp] = asList(fields);
  return {
    endOffset: Number(asText(id).slice(2)),
    frame: asBytes(frame),
    // Not the bytes, which are a view of the whole reply: an owner at rest would keep all of it for them.
    nonce: nonce instanceof Buffer ? asText(nonce) : undefined,
    previousNonce: previousNonce instanceof Buffer ? asText(previousNonce) : undefined,
    timestamp: isTimestamp instanceof Buffer ? timeOf(appendedAt) : undefined,
  };
}

/** Undefined for what is no time: anyone may write into a stream. */
function timeOf(field: unknown): number | undefined {
  const time = field instanceof Buffer ? Number(asText(field)) : Number.NaN;
  return Number.isSafeInteger(time) ? time : undefined;
}
