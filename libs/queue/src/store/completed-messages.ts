import { asBytes, asInteger, asList, asText, lua, type RedisClient } from '@millrace/redis';
import type { QueueKeys } from './keys.js';
import { MessageUnpacker } from './message-unpacker.js';

/** A message that was completed and is kept. */
export interface FoundCompleted {
  /** Its name in the queue. */
  readonly entry: string;
  readonly frame: Buffer;
  /** The number in `counts` that it had. */
  readonly deliveries: number;
  /** When its handler began, ms of Redis' clock; undefined when its consumer did not say so. */
  readonly startedAt: number | undefined;
  /** Ms of Redis' clock. */
  readonly completedAt: number;
  /** See `model/completion.ts`. */
  readonly result: string;
}

/** A page of what is kept, the newest first. */
export interface CompletedPage {
  readonly messages: readonly FoundCompleted[];
  /** For the next page; undefined when this was the last. */
  readonly cursor: string | undefined;
}

/**
 * The cursor is the last message seen: what is completed meanwhile shifts nothing. If it has gone by then, all that is older has, since the
 * oldest go first; its time is only needed if it was completed a second time, which dead letters that are sent back may be.
 */
export async function listCompleted(
  client: RedisClient,
  keys: QueueKeys,
  { cursor, limit }: { readonly cursor: string | undefined; readonly limit: number },
): Promise<CompletedPage> {
  const pairs = await pairsAfter(client, keys, cursor, limit);
  const entries = pairs.filter((_, index) => index % 2 === 0);
  if (entries.length === 0) return { messages: [], cursor: undefined };
  const records = await client.hmgetBuffer(keys.completedMessages, ...entries);
  const messages = entries.flatMap((entry, index) => {
    const record = records[index];
    return record ? [readRecord(entry, record, pairs[index * 2 + 1] ?? '')] : [];
  });
  return { messages, cursor: entries.length < limit ? undefined : `${pairs.at(-1)} ${entries.at(-1)}` };
}

/** Entries and when they were completed, by turns. */
async function pairsAfter(
  client: RedisClient,
  { completed }: QueueKeys,
  cursor: string | undefined,
  limit: number,
): Promise<string[]> {
  if (cursor === undefined) return client.zrange(completed, '0', String(limit - 1), 'REV', 'WITHSCORES');
  const [at = '', entry = ''] = cursor.split(' ');
  const [score, rank] = await Promise.all([client.zscore(completed, entry), client.zrevrank(completed, entry)]);
  if (score !== at || rank === null)
    return client.zrange(completed, `(${at}`, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, limit, 'WITHSCORES');
  return client.zrange(completed, String(rank + 1), String(rank + limit), 'REV', 'WITHSCORES');
}

// Finds what is kept of a message by its entry or its id.
//
// KEYS 1 completed 2 completed-messages
// ARGV 1 entry or id
// RETURNS nil when nothing is, else { entry, record, when it was completed }
const findScript = lua`#!lua flags=no-writes
local entry = ARGV[1]
local record = entry:sub(1, 1) ~= '=' and redis.call('HGET', KEYS[2], entry)
if not record then
  entry = redis.call('HGET', KEYS[2], '=' .. entry)
  record = entry and redis.call('HGET', KEYS[2], entry)
end
local at = record and redis.call('ZSCORE', KEYS[1], entry)
return at and {entry, record, at} or nil
`;

/** Of several that had the id, the last that was completed. */
export async function findCompleted(
  client: RedisClient,
  keys: QueueKeys,
  id: string,
): Promise<FoundCompleted | undefined> {
  const reply = await findScript.run(client, [keys.completed, keys.completedMessages], [id]);
  if (reply === null) return undefined;
  const [entry, record, at] = asList(reply);
  return readRecord(asText(entry), asBytes(record), asText(at));
}

function readRecord(entry: string, record: Buffer, at: string): FoundCompleted {
  const unpacker = new MessageUnpacker(record);
  unpacker.list();
  const [deliveries, startedAt, result] = [unpacker, unpacker, unpacker].map((each) => each.next().toString());
  const frame = unpacker.next();
  return {
    entry,
    frame,
    deliveries: Number(deliveries),
    startedAt: startedAt === '' ? undefined : Number(startedAt),
    completedAt: Math.floor(Number(at)),
    result: result ?? '',
  };
}

// Removes all that is kept, however much that is: Redis frees it in the background.
//
// KEYS 1 completed 2 completed-messages
// RETURNS how many there were
const purgeScript = lua`#!lua flags=allow-oom
local count = redis.call('ZCARD', KEYS[1])
redis.call('UNLINK', KEYS[1], KEYS[2])
return count
`;

/** Resolves to how many were removed. */
export async function purgeCompleted(client: RedisClient, keys: QueueKeys): Promise<number> {
  return asInteger(await purgeScript.run(client, [keys.completed, keys.completedMessages], []));
}
