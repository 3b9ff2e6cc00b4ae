import { asInteger, lua, type RedisClient } from '@millrace/redis';
import { type QueueKeys, readyKeys } from './keys.js';

/** A message as a list of them shows it. */
export interface Listed {
  readonly id: string;
  readonly frame: Buffer;
  /** When a delayed one is due, since when a parked one is parked; ms of Redis' clock. */
  readonly at: number | undefined;
}

export interface ListedPage {
  readonly messages: readonly Listed[];
  /** For the next page; undefined when this was the last. */
  readonly cursor: string | undefined;
}

/** A page of what is delayed or parked, the earliest first. The cursor is a place in time: what comes or goes shifts nothing. */
export async function listByTime(
  client: RedisClient,
  keys: QueueKeys,
  which: 'delayed' | 'parked',
  { cursor, limit }: { readonly cursor: string | undefined; readonly limit: number },
): Promise<ListedPage> {
  const [at = '-inf', seen = ''] = cursor?.split(' ') ?? [];
  const skip = new Set(seen.split(',').filter((id) => id !== ''));
  const most = limit + skip.size;
  const pairs = await client.zrange(keys[which], at, '+inf', 'BYSCORE', 'LIMIT', 0, most, 'WITHSCORES');
  const found = Array.from({ length: pairs.length / 2 }, (_, index) => ({
    id: pairs[index * 2] ?? '',
    at: Number(pairs[index * 2 + 1]),
  }));
  const page = found.filter(({ id }) => !skip.has(id)).slice(0, limit);
  const last = page.at(-1)?.at;
  const sameTime = [...(String(last) === at ? skip : []), ...page.filter((one) => one.at === last).map(({ id }) => id)];
  return {
    messages: await withFrames(client, keys, page),
    cursor: found.length < most || last === undefined ? undefined : `${last} ${sameTime.join(',')}`,
  };
}

/** A page of what is ready, in the order of delivery. The cursor is the last message seen, or its place when that has gone. */
export async function listReady(
  client: RedisClient,
  keys: QueueKeys,
  priorities: number,
  { cursor, limit }: { readonly cursor: string | undefined; readonly limit: number },
): Promise<ListedPage> {
  const lists = readyKeys(keys, priorities).toReversed();
  const [list = '0', index = '-1', lastId = ''] = cursor?.split(' ') ?? [];
  for (let number = Number(list); number < lists.length; number++) {
    const key = lists[number] ?? '';
    const isStart = number !== Number(list) || lastId === '';
    const place = isStart ? -1 : ((await client.lpos(key, lastId)) ?? Number(index) - 1);
    const ids = await client.lrange(key, place + 1, place + limit);
    if (ids.length === 0) continue;
    return {
      messages: await withFrames(
        client,
        keys,
        ids.map((id) => ({ id, at: undefined })),
      ),
      cursor: `${number} ${place + ids.length} ${ids.at(-1)}`,
    };
  }
  return { messages: [], cursor: undefined };
}

async function withFrames(
  client: RedisClient,
  keys: QueueKeys,
  page: readonly { readonly id: string; readonly at: number | undefined }[],
): Promise<Listed[]> {
  if (page.length === 0) return [];
  const frames = await client.hmgetBuffer(keys.messages, ...page.map(({ id }) => id));
  return page.flatMap(({ id, at }, index) => {
    const frame = frames[index];
    return frame === null || frame === undefined ? [] : [{ id, at, frame }];
  });
}

// Takes a waiting message out of its queue for good: one that is ready, or parked.
//
// KEYS 1 messages 2 parked 3 meta 4 expiry 5 counts 6 handled 7… ready
// ARGV 1 id
// RETURNS 1, or 0 when it is not waiting there: a consumer has it, or it is gone
const removeScript = lua`#!lua flags=allow-oom
local call, id = redis.call, ARGV[1]
local wasReady = 0
for i = 7, #KEYS do if wasReady == 0 then wasReady = call('LREM', KEYS[i], 1, id) end end
if wasReady + call('ZREM', KEYS[2], id) == 0 then return 0 end
if wasReady == 1 and call('HEXISTS', KEYS[3], 'max-bytes') == 1 then
  call('HINCRBY', KEYS[3], 'bytes', -call('HSTRLEN', KEYS[1], id))
end
if call('HDEL', KEYS[1], id) == 0 and wasReady == 1 then call('HINCRBY', KEYS[3], 'ghosts', -1) end
call('ZREM', KEYS[4], id)
call('HDEL', KEYS[5], id)
call('HDEL', KEYS[6], id)
return 1
`;

/** False when it is not waiting there. */
export async function removeWaiting(
  client: RedisClient,
  keys: QueueKeys,
  priorities: number,
  id: string,
): Promise<boolean> {
  const scriptKeys = [keys.messages, keys.parked, keys.meta, keys.expiry, keys.counts, keys.handled];
  return asInteger(await removeScript.run(client, [...scriptKeys, ...readyKeys(keys, priorities)], [id])) === 1;
}

// Replaces the frame of a waiting message.
//
// KEYS 1 messages 2 parked 3 meta 4… ready
// ARGV 1 id 2 frame
// RETURNS 1, or 0 when it is not waiting
const replaceScript = lua`#!lua
local call, id = redis.call, ARGV[1]
local isWaiting = call('ZSCORE', KEYS[2], id)
for i = 4, #KEYS do isWaiting = isWaiting or call('LPOS', KEYS[i], id) end
if not isWaiting or call('HEXISTS', KEYS[1], id) == 0 then return 0 end
if call('HEXISTS', KEYS[3], 'max-bytes') == 1 then
  call('HINCRBY', KEYS[3], 'bytes', #ARGV[2] - call('HSTRLEN', KEYS[1], id))
end
call('HSET', KEYS[1], id, ARGV[2])
return 1
`;

/** False when it is not waiting there. */
export async function replaceWaiting(
  client: RedisClient,
  keys: QueueKeys,
  priorities: number,
  message: { readonly id: string; readonly frame: Buffer },
): Promise<boolean> {
  const scriptKeys = [keys.messages, keys.parked, keys.meta, ...readyKeys(keys, priorities)];
  return asInteger(await replaceScript.run(client, scriptKeys, [message.id, message.frame])) === 1;
}

// Makes parked messages ready again, at the back.
//
// KEYS 1 parked 2 messages 3 meta 4 idle 5 wake 6… ready, lowest priority first
// ARGV ids
// RETURNS how many were parked
const unparkScript = lua`#!lua
local call, n = redis.call, 0
for _, id in ipairs(ARGV) do
  local frame = call('ZREM', KEYS[1], id) == 1 and call('HGET', KEYS[2], id)
  if frame then
    call('RPUSH', KEYS[6 + math.min(frame:byte(2), #KEYS - 6)], id)
    if call('HEXISTS', KEYS[3], 'max-bytes') == 1 then call('HINCRBY', KEYS[3], 'bytes', #frame) end
    n = n + 1
  end
end
local woken = n > 0 and call('ZPOPMIN', KEYS[4], n) or {}
for i = 1, #woken, 2 do call('RPUSH', KEYS[5], woken[i]) end
return n
`;

export async function unpark(
  client: RedisClient,
  keys: QueueKeys,
  priorities: number,
  ids: readonly string[],
): Promise<number> {
  const scriptKeys = [keys.parked, keys.messages, keys.meta, keys.idle, keys.wake, ...readyKeys(keys, priorities)];
  return ids.length === 0 ? 0 : asInteger(await unparkScript.run(client, scriptKeys, ids));
}
