import { messageOf } from '@millrace/core';
import { argNames, asBytes, asInteger, asList, asText, keyNames, type RedisClient, Script } from '@millrace/redis';
import type { ReplyKeys } from './keys.js';

/** How long a reply stream is kept after its requester last renewed it, in ms. */
export const replyTtlMs = 600_000;
/** Most items of one stream of replies that may wait for its requester. */
export const replyWindow = 128;

/** Some replies as received: items with their author. */
export interface ReceivedReplies {
  readonly author: string | undefined;
  readonly frames: readonly Buffer[];
}

// A responder uses no script: that would need the right to read the reply stream. It appends with XADD alone, and NOMKSTREAM
// creates no key for a requester that is gone.

/** The only reply to a request. If it is sent again after a lost reply of Redis, it is stored twice. False: its requester is gone. */
export async function sendReply(client: RedisClient, keys: ReplyKeys, frame: Buffer): Promise<boolean> {
  return append(client, keys, ['r', frame]);
}

/**
 * Some items of a stream of replies. Resolves to how many of its items the requester has consumed; undefined when the requester is
 * gone. Items that are sent again after a lost reply of Redis are stored twice: the requester knows each by its number.
 */
export async function sendReplyItems(
  client: RedisClient,
  keys: ReplyKeys,
  call: { readonly correlationId: string; readonly author: string; readonly frames: readonly Buffer[] },
): Promise<number | undefined> {
  const { correlationId, author, frames } = call;
  const fields = ['a', author, ...frames.flatMap((frame) => ['r', frame])];
  const [isThere, consumed] = await Promise.all([
    frames.length === 0 || append(client, keys, fields),
    client.hget(keys.consumed, correlationId),
  ]);
  return isThere ? Number(consumed ?? 0) : undefined;
}

async function append(client: RedisClient, keys: ReplyKeys, fields: readonly (string | Buffer)[]): Promise<boolean> {
  try {
    return (await client.xadd(keys.replies, 'NOMKSTREAM', '*', ...fields)) !== null;
  } catch (error) {
    // Its requester creates it again.
    if (isSpoiled(error)) return false;
    throw error;
  }
}

/** Another client has used up its ids, or replaced it by something else. */
function isSpoiled(error: unknown): boolean {
  return /^WRONGTYPE|exhausted the last possible ID/.test(messageOf(error));
}

// Keeps a reply stream for another period, and creates it if it does not exist, or if its key has become one of another type: that would be
// kept as well, and a wait for replies that is under way does not notice it.
//
// KEYS     of {reply:<secret>}
//   replies  :replies  created, empty; entries that were read: removed; its time to live: set
// ARGV     ttlMs       how long it is kept
//          firstId     entries of a stream that is created here get higher ids
//          isReplaced  1: an existing stream is deleted first
// RETURNS  1 when it existed, 0 when it was created
// EFFECTS  see KEYS
const keepScript = new Script(`#!lua
${keyNames('replies')}
${argNames('ttlMs', 'firstId', 'isReplaced')}
local trimmed = redis.pcall('XTRIM', replies, 'MINID', firstId)
local isStream = type(trimmed) ~= 'table' or not trimmed.err:find('^WRONGTYPE')
if isReplaced == '1' or not isStream then redis.call('UNLINK', replies) end
if redis.call('PEXPIRE', replies, ttlMs) == 1 then return 1 end
redis.call('XADD', replies, 'MAXLEN', '0', firstId, 'made', '')
redis.call('PEXPIRE', replies, ttlMs)
return 0
`);

/**
 * Keeps the reply stream of this process, or creates it. Replies in a new one are found after `last`. Resolves to whether it
 * existed.
 */
export async function keepReplyStream(
  client: RedisClient,
  keys: ReplyKeys,
  last: string,
  { isReplaced = false } = {},
): Promise<boolean> {
  return asInteger(await keepScript.run(client, [keys.replies], [replyTtlMs, idAfter(last), isReplaced ? 1 : 0])) === 1;
}

/**
 * Waits for replies after `last`; resolves to them and the id of the newest. Undefined when another client has spoiled the stream: no
 * more replies can come.
 */
export async function nextReplies(
  client: RedisClient,
  keys: ReplyKeys,
  last: string,
  blockMs: number,
): Promise<{ readonly replies: readonly ReceivedReplies[]; readonly last: string } | undefined> {
  try {
    const reply = await client.callBuffer('XREAD', 'COUNT', 200, 'BLOCK', blockMs, 'STREAMS', keys.replies, last);
    if (reply === null) return { replies: [], last };
    const entries = asList(asList(asList(reply)[0])[1]).map(asList);
    const newest = entries.at(-1)?.[0];
    return {
      replies: entries.map(([, fields]) => repliesIn(asList(fields))),
      last: newest === undefined ? last : asText(newest),
    };
  } catch (error) {
    if (isSpoiled(error)) return undefined;
    throw error;
  }
}

function repliesIn(fields: readonly unknown[]): ReceivedReplies {
  const frames: Buffer[] = [];
  let author: string | undefined;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [name, value] = [asText(fields[at]), asBytes(fields[at + 1])];
    if (name === 'r') frames.push(value);
    else if (name === 'a') author = value.toString('latin1');
  }
  return { author, frames };
}

/** Deletes replies up to and including `last`. */
export async function forgetReplies(client: RedisClient, keys: ReplyKeys, last: string): Promise<void> {
  await client.xtrim(keys.replies, 'MINID', idAfter(last));
}

/** The next id after this one. Both of its parts are 64-bit numbers. */
function idAfter(id: string): string {
  const [ms = '0', sequence = '0'] = id.split('-');
  const next = BigInt(sequence) + 1n;
  return next < 2n ** 64n ? `${ms}-${next}` : `${BigInt(ms) + 1n}-0`;
}

// Records how many items the requester has consumed; an older number that comes late changes nothing.
//
// KEYS     of {reply:<secret>}
//   consumed  :consumed  number of items that were consumed: written; its time to live: set
// ARGV     correlationId  of the stream
//          count          how many of its items were consumed
//          ttlMs          how long this is kept
// RETURNS  1
// EFFECTS  see KEYS
const consumedScript = new Script(`#!lua
${keyNames('consumed')}
${argNames('correlationId', 'count', 'ttlMs')}
if tonumber(count) > tonumber(redis.call('HGET', consumed, correlationId) or 0) then
  redis.call('HSET', consumed, correlationId, count)
end
redis.call('PEXPIRE', consumed, ttlMs)
return 1
`);

export async function reportConsumed(
  client: RedisClient,
  keys: ReplyKeys,
  correlationId: string,
  count: number,
): Promise<void> {
  await consumedScript.run(client, [keys.consumed], [correlationId, count, replyTtlMs]);
}

export async function forgetConsumed(client: RedisClient, keys: ReplyKeys, correlationId: string): Promise<void> {
  await client.hdel(keys.consumed, correlationId);
}

export async function forgetRequester(client: RedisClient, keys: ReplyKeys): Promise<void> {
  await client.unlink(keys.replies, keys.consumed);
}
