import { asBytes, asInteger, asList, asText, lua, type RedisClient } from '@millrace/redis';
import type { ReplyKeys } from './keys.js';

// Hands a reply over, unless it is an item and the requester is too far behind.
//
// KEYS 1 replies 2 consumed
// ARGV 1 frame 2 time to live in ms 3 correlation id of an item, else '' 4 number of the item 5 most items that may wait
// RETURNS 1, or 0 when the requester has to catch up first: nothing was done
const replyScript = lua`#!lua
if ARGV[3] ~= '' and ARGV[4] - (redis.call('HGET', KEYS[2], ARGV[3]) or 0) >= tonumber(ARGV[5]) then return 0 end
redis.call('XADD', KEYS[1], '*', 'r', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`;

/** What nobody reads goes after this time: the requester is dead. */
const replyTtlMs = 600_000;
/** Items of one stream of replies that may wait for its requester. */
export const replyWindow = 128;

/** False when it is an item and the requester is too far behind: try again later. */
export async function sendReply(
  client: RedisClient,
  keys: ReplyKeys,
  frame: Buffer,
  item?: { readonly correlationId: string; readonly sequence: number },
): Promise<boolean> {
  const args = [frame, replyTtlMs, item?.correlationId ?? '', item?.sequence ?? 0, replyWindow];
  return asInteger(await replyScript.run(client, [keys.replies, keys.consumed], args)) === 1;
}

/** Waits for replies after `last`; answers them with the id of the newest. */
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

/** Tells the responder how far the requester is. */
export async function tellConsumed(
  client: RedisClient,
  keys: ReplyKeys,
  correlationId: string,
  count: number,
): Promise<void> {
  await client.multi().hset(keys.consumed, correlationId, count).pexpire(keys.consumed, replyTtlMs).exec();
}

export async function forgetConsumed(client: RedisClient, keys: ReplyKeys, correlationId: string): Promise<void> {
  await client.hdel(keys.consumed, correlationId);
}

export async function forgetRequester(client: RedisClient, keys: ReplyKeys): Promise<void> {
  await client.unlink(keys.replies, keys.consumed);
}
