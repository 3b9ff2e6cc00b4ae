import { storedInteger } from '@millrace/core';
import { argNames, asBytes, asInteger, asList, asText, keyNames, type RedisClient, Script } from '@millrace/redis';
import { cursorParts, type PageRange } from '../model/page-cursor.js';
import { completedKeys } from './completed.js';
import type { QueueKeys } from './keys.js';
import { MessageUnpacker } from './message-unpacker.js';

/** A completed message that is kept. */
export interface FoundCompleted {
  /** Its unique name in the queue. */
  readonly entry: string;
  readonly frame: Buffer;
  /** Its number in `counts`. */
  readonly deliveries: number;
  /** When its handler began, in ms of Redis' clock; undefined when its consumer did not report it. */
  readonly startedAt: number | undefined;
  /** Ms of Redis' clock. */
  readonly completedAt: number;
  /** See `model/completion.ts`. */
  readonly result: string;
}

/** A page of completed messages, the newest first. */
export interface CompletedPage {
  readonly messages: readonly FoundCompleted[];
  /** For the next page; undefined when this was the last. */
  readonly cursor: string | undefined;
}

/** The cursor is the time of the last message seen, which is unique: messages completed meanwhile shift nothing. */
export async function listCompleted(client: RedisClient, keys: QueueKeys, range: PageRange): Promise<CompletedPage> {
  const { limit } = range;
  const [last] = cursorParts(range, 'completed') ?? [];
  const before = last === undefined ? '+inf' : `(${last}`;
  const page = ['BYSCORE', 'REV', 'LIMIT', 0, limit, 'WITHSCORES'] as const;
  const pairs = await client.zrange(keys.completed, before, '-inf', ...page);
  const entries = pairs.filter((_, index) => index % 2 === 0);
  if (entries.length === 0) return { messages: [], cursor: undefined };
  const records = await client.hmgetBuffer(keys.completedMessages, ...entries);
  const messages = entries.flatMap((entry, index) => {
    const record = records[index];
    return record ? [readRecord(entry, record, pairs[index * 2 + 1] ?? '')] : [];
  });
  return { messages, cursor: entries.length < limit ? undefined : pairs.at(-1) };
}

// Finds a completed message by its entry or its id.
//
// KEYS     completed          :completed           when it was completed: read
//          completedMessages  :completed-messages  what is kept of it: read
// ARGV     name  entry or id
// RETURNS  nil when none is kept, else { entry, what is kept, when it was completed }
// EFFECTS  none
const findScript = new Script(`#!lua flags=no-writes
local call = redis.call
${keyNames(...completedKeys)}
${argNames('name')}
-- A field with this prefix is not an entry.
local record = name:sub(1, 1) ~= '=' and call('HGET', completedMessages, name)
local entry = record and name or call('HGET', completedMessages, '=' .. name)
record = record or entry and call('HGET', completedMessages, entry)
local at = record and call('ZSCORE', completed, entry)
return at and {entry, record, at} or nil
`);

/** If several had the id, the one that was completed last. */
export async function findCompleted(
  client: RedisClient,
  keys: QueueKeys,
  id: string,
): Promise<FoundCompleted | undefined> {
  const reply = await findScript.run(client, namedKeys(keys), [id]);
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
    deliveries: storedInteger(deliveries ?? '') ?? 0,
    startedAt: startedAt === '' ? undefined : Number(startedAt),
    completedAt: Math.floor(Number(at)),
    result: result ?? '',
  };
}

// Removes all completed messages, however many: Redis frees them in the background.
//
// KEYS     completed          :completed           deleted
//          completedMessages  :completed-messages  deleted
// ARGV     none
// RETURNS  the number of messages that were kept
// EFFECTS  see KEYS
const purgeScript = new Script(`#!lua flags=allow-oom
${keyNames(...completedKeys)}
local count = redis.call('ZCARD', completed)
redis.call('UNLINK', completed, completedMessages)
return count
`);

/** Resolves to the number removed. */
export async function purgeCompleted(client: RedisClient, keys: QueueKeys): Promise<number> {
  return asInteger(await purgeScript.run(client, namedKeys(keys), []));
}

function namedKeys(keys: QueueKeys): string[] {
  return completedKeys.map((name) => keys[name]);
}
