import { asBytes, asInteger, asList, asText, lua, type RedisClient } from '@millrace/redis';
import type { ReplyKeys } from './keys.js';

// Hands replies over; of items only as many as the requester is not too far behind for. What is sent a second time because the
// answer was lost stands in the stream twice: the requester knows each by its number.
//
// A stream has one author: whose first items came first. Items of another are refused.
//
// KEYS 1 replies 2 consumed
// ARGV 1 time to live in ms 2 correlation id of items, else '' 3 number of the first item 4 most items that may wait 5 their author 6… frames
// RETURNS how many were taken, from the first on; -1 when the stream is another author's
const replyScript = lua`#!lua
local room = #ARGV - 5
if ARGV[2] ~= '' then
  local field = 'author ' .. ARGV[2]
  local author = redis.call('HGET', KEYS[2], field)
  if author and author ~= ARGV[5] then return -1 end
  if not author then
    redis.call('HSET', KEYS[2], field, ARGV[5])
    redis.call('PEXPIRE', KEYS[2], ARGV[1])
  end
  room = math.min(room, ARGV[4] - (ARGV[3] - (redis.call('HGET', KEYS[2], ARGV[2]) or 0)))
end
for i = 6, 5 + room do redis.call('XADD', KEYS[1], '*', 'r', ARGV[i]) end
if room > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return math.max(room, 0)
`;

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
// KEYS 1 consumed
// ARGV 1 correlation id 2 count 3 time to live in ms
// RETURNS 1
const consumedScript = lua`#!lua
if tonumber(ARGV[2]) > tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or 0) then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`;

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
