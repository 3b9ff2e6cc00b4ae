import { argNames, asBytes, asInteger, asList, asText, keyNames, type RedisClient, Script } from '@millrace/redis';
import type { ReplyKeys } from './keys.js';

// Hands replies over; of items only as many as the requester is not too far behind for. What is sent a second time because the
// answer was lost stands in the stream twice: the requester knows each by its number.
//
// A stream has one author: whose first items came first. Items of another are refused.
//
// KEYS     of {reply:<requester>}
//   replies   :replies   frames come
//   consumed  :consumed  the author of the stream: read, or comes; how many items were consumed: read
// ARGV     ttlMs          for so long they are kept
//          correlationId  of items, else ''
//          first          number of the first item
//          window         most items that may wait
//          author         of the items
//          then frames
// RETURNS  how many were taken, from the first on; -1 when the stream is another author's: then nothing was done
// EFFECTS  as said of the keys; both expire
const replyScript = new Script(`#!lua
${keyNames('replies', 'consumed')}
${argNames('ttlMs', 'correlationId', 'first', 'window', 'author')}
local room = #ARGV - firstItem + 1
if correlationId ~= '' then
  local field = 'author ' .. correlationId
  local present = redis.call('HGET', consumed, field)
  if present and present ~= author then return -1 end
  if not present then
    redis.call('HSET', consumed, field, author)
    redis.call('PEXPIRE', consumed, ttlMs)
  end
  room = math.min(room, window - (first - (redis.call('HGET', consumed, correlationId) or 0)))
end
for i = firstItem, firstItem + room - 1 do redis.call('XADD', replies, '*', 'r', ARGV[i]) end
if room > 0 then redis.call('PEXPIRE', replies, ttlMs) end
return math.max(room, 0)
`);

/** What is not read goes after this time: the requester is dead. */
const replyTtlMs = 600_000;
/** Items of one stream of replies that may wait for its requester. */
export const replyWindow = 128;

/** The only reply to a request. */
export async function sendReply(client: RedisClient, keys: ReplyKeys, frame: Buffer): Promise<void> {
  await replyScript.run(client, [keys.replies, keys.consumed], [replyTtlMs, '', 0, 0, '', frame]);
}

/**
 * Some items of a stream of replies, `first` being the number of the first. Resolves to how many there was room for; undefined when
 * the stream is another author's.
 */
export async function sendReplyItems(
  client: RedisClient,
  keys: ReplyKeys,
  call: { correlationId: string; author: string; first: number; frames: readonly Buffer[] },
): Promise<number | undefined> {
  const args = [replyTtlMs, call.correlationId, call.first, replyWindow, call.author, ...call.frames];
  const taken = asInteger(await replyScript.run(client, [keys.replies, keys.consumed], args));
  return taken < 0 ? undefined : taken;
}

/** Waits for replies after `last`; resolves to them and the id of the newest. */
export async function nextReplies(
  client: RedisClient,
  keys: ReplyKeys,
  last: string,
  blockMs: number,
): Promise<{ readonly frames: readonly Buffer[]; readonly last: string }> {
  const reply = await client.callBuffer('XREAD', 'COUNT', 200, 'BLOCK', blockMs, 'STREAMS', keys.replies, last);
  if (reply === null) return { frames: [], last };
  const entries = asList(asList(asList(reply)[0])[1]).map(asList);
  return {
    frames: entries.map((entry) => asBytes(asList(entry[1])[1])),
    last: asText(entries.at(-1)?.[0]),
  };
}

/** Forgets replies up to and with `last`. */
export async function forgetReplies(client: RedisClient, keys: ReplyKeys, last: string): Promise<void> {
  const [ms = '0', sequence = '0'] = last.split('-');
  await client.xtrim(keys.replies, 'MINID', `${ms}-${Number(sequence) + 1}`);
}

// Tells the responder how far the requester is; older news that comes late changes nothing.
//
// KEYS     of {reply:<requester>}
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
  await client.hdel(keys.consumed, correlationId, `author ${correlationId}`);
}

export async function forgetRequester(client: RedisClient, keys: ReplyKeys): Promise<void> {
  await client.unlink(keys.replies, keys.consumed);
}
