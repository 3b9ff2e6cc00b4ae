import { messageOf } from '@millrace/core';
import { argNames, asBytes, asInteger, asList, asText, keyNames, type RedisClient, Script } from '@millrace/redis';
import type { ReplyKeys } from './keys.js';

/** For so long a reply stream is kept after its requester last said that it is alive. */
export const replyTtlMs = 600_000;
/** Items of one stream of replies that may wait for its requester. */
export const replyWindow = 128;

/** Some replies as they came: items with their author. */
export interface ReceivedReplies {
  readonly author: string | undefined;
  readonly frames: readonly Buffer[];
}

// A responder sends no script: that would need the right to read the reply stream. It appends with XADD alone, and NOMKSTREAM
// makes no key for a requester that is gone.

/** The only reply to a request. What is sent a second time because the answer was lost is there twice. False: its requester is gone. */
export async function sendReply(client: RedisClient, keys: ReplyKeys, frame: Buffer): Promise<boolean> {
  return append(client, keys, ['r', frame]);
}

/**
 * Some items of a stream of replies. Resolves to how many items of it its requester has consumed; undefined when the requester is
 * gone. What is sent a second time because the answer was lost is there twice: the requester knows each by its number.
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
    // Its requester makes it anew.
    if (isSpoiled(error)) return false;
    throw error;
  }
}

/** A stranger has used up its ids, or put something else in its place. */
function isSpoiled(error: unknown): boolean {
  return /^WRONGTYPE|exhausted the last possible ID/.test(messageOf(error));
}

// Keeps a reply stream for another while, and makes it where it is not there.
//
// KEYS     of {reply:<secret>}
//   replies  :replies  comes, empty
// ARGV     ttlMs    for so long it is kept
//          firstId  nothing that comes into a stream that is made here has this id or a lower one
//          isAnew   1: what is there goes first
// RETURNS  1 when it was there, 0 when it was made
// EFFECTS  as said of the key; it expires
const keepScript = new Script(`#!lua
${keyNames('replies')}
${argNames('ttlMs', 'firstId', 'isAnew')}
if isAnew == '1' then redis.call('UNLINK', replies) end
if redis.call('PEXPIRE', replies, ttlMs) == 1 then return 1 end
redis.call('XADD', replies, 'MAXLEN', '0', firstId, 'made', '')
redis.call('PEXPIRE', replies, ttlMs)
return 0
`);

/**
 * Keeps the reply stream of this process, or makes it. Replies that come into a new one are found after `last`. Resolves to whether it
 * was there.
 */
export async function keepReplyStream(
  client: RedisClient,
  keys: ReplyKeys,
  last: string,
  { isAnew = false } = {},
): Promise<boolean> {
  return asInteger(await keepScript.run(client, [keys.replies], [replyTtlMs, idAfter(last), isAnew ? 1 : 0])) === 1;
}

/**
 * Waits for replies after `last`; resolves to them and the id of the newest. Undefined when a stranger has spoiled the stream: no
 * reply may come any more.
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

/** Forgets replies up to and with `last`. */
export async function forgetReplies(client: RedisClient, keys: ReplyKeys, last: string): Promise<void> {
  await client.xtrim(keys.replies, 'MINID', idAfter(last));
}

/** The lowest id beyond one. Both of its parts are numbers of 64 bits. */
function idAfter(id: string): string {
  const [ms = '0', sequence = '0'] = id.split('-');
  const next = BigInt(sequence) + 1n;
  return next < 2n ** 64n ? `${ms}-${next}` : `${BigInt(ms) + 1n}-0`;
}

// Records how far the requester is; older news that comes late changes nothing.
//
// KEYS     of {reply:<secret>}
//   consumed  :consumed  how many items were consumed: comes
// ARGV     correlationId  of the stream
//          count          how many of its items were consumed
//          ttlMs          for so long this is kept
// RETURNS  1
// EFFECTS  as said of the key; it expires
const consumedScript = new Script(`#!lua
${keyNames('consumed')}
${argNames('correlationId', 'count', 'ttlMs')}
if tonumber(count) > tonumber(redis.call('HGET', consumed, correlationId) or 0) then
  redis.call('HSET', consumed, correlationId, count)
end
redis.call('PEXPIRE', consumed, ttlMs)
return 1
`);

export async function tellConsumed(
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
