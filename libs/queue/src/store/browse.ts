import { asInteger, keyNames, type RedisClient, Script } from '@millrace/redis';
import { cursorParts, type PageRange } from '../model/page-cursor.js';
import { addTo } from './counters.js';
import { idFragments } from './identity.js';
import { type QueueKeys, waitingKeys } from './keys.js';
import { waitingLists } from './waiting.js';

/** A message in a list. */
export interface Listed {
  readonly id: string;
  readonly frame: Buffer;
  /** When a delayed one is due, or since when a parked one is parked; in ms of Redis' clock. */
  readonly at: number | undefined;
}

export interface ListedPage<T> {
  readonly messages: readonly T[];
  /** For the next page; undefined when this was the last. */
  readonly cursor: string | undefined;
}

/** A page of delayed or parked messages, the earliest first. The cursor is a time: messages that come or go shift nothing. */
export async function listByTime(
  client: RedisClient,
  keys: QueueKeys,
  which: 'delayed' | 'parked',
  range: PageRange,
): Promise<ListedPage<Listed>> {
  const { limit } = range;
  const [at = '-inf', seen = ''] = cursorParts(range, 'byTime') ?? [];
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

/** How many entries are read together after a page's worth of stale ones. */
const gapEntries = 500;

/** Reads those of some entries that are wanted; `at` is their place in time, if they have one. */
type ReadEntries<T> = (page: readonly { readonly id: string; readonly at: undefined }[]) => Promise<readonly T[]>;

/**
 * A page of ready messages, in the order of delivery. The cursor is the last message seen. Offered messages come first, where they
 * return if their consumer does not claim them.
 */
export function listReady(
  client: RedisClient,
  keys: QueueKeys,
  priorities: number,
  range: PageRange,
): Promise<ListedPage<Listed>> {
  return pageReady(client, keys, priorities, range, (page) => withFrames(client, keys, page));
}

/** As `listReady`, but only the entries, with the stale ones among them. */
export function listReadyEntries(
  client: RedisClient,
  keys: QueueKeys,
  priorities: number,
  range: PageRange,
): Promise<ListedPage<{ readonly id: string }>> {
  return pageReady(client, keys, priorities, range, (page) => Promise.resolve(page));
}

async function pageReady<T extends { readonly id: string }>(
  client: RedisClient,
  keys: QueueKeys,
  priorities: number,
  range: PageRange,
  read: ReadEntries<T>,
): Promise<ListedPage<T>> {
  const { limit } = range;
  // From the last key on, this is the order of delivery. An offer returns to a list that is read after the offers: none is missed.
  const lists = [keys.offered, ...waitingKeys(keys, priorities).toReversed()];
  const [list = '0', index = '-1', lastId = ''] = cursorParts(range, 'ready') ?? [];
  for (let number = Number(list); number < lists.length; number++) {
    const key = lists[number] ?? '';
    const isStart = number !== Number(list) || lastId === '';
    if (key === keys.offered) {
      const offers = await listOffered(client, keys, { after: isStart ? '-inf' : index, limit }, read);
      if (offers === undefined) continue;
      return { messages: offers.messages, cursor: `${number} ${offers.last}` };
    }
    let place = isStart ? -1 : await placeOf(client, key, lastId, Number(index));
    // After a gap of stale entries more are read together.
    for (let window = limit; ; window = Math.max(limit, gapEntries)) {
      const ids = await client.lrange(key, place + 1, place + window);
      if (ids.length === 0) break;
      const found = await read(ids.map((id) => ({ id, at: undefined })));
      const messages = found.slice(0, limit);
      const last = messages.at(-1)?.id;
      if (last !== undefined) {
        const isLast = messages.length === found.length && ids.length < window && number === lists.length - 1;
        const at = messages.length < found.length ? ids.indexOf(last) : ids.length - 1;
        return { messages, cursor: isLast ? undefined : `${number} ${place + 1 + at} ${ids[at]}` };
      }
      place += ids.length;
    }
  }
  return { messages: [], cursor: undefined };
}

/** How many entries of a list are read in one command. */
const nearEntries = 500;
const farEntries = 5000;

/**
 * The index of an entry of a list that was at `index`. Messages taken meanwhile have moved it towards the head, messages given back away from it:
 * it is searched near its place, then before that, then a little after. -1 if it is gone: a list is taken from its head, so all that stood
 * before it has gone too, and the next one is the first.
 */
async function placeOf(client: RedisClient, key: string, entry: string, index: number): Promise<number> {
  const within = async (from: number, to: number): Promise<number> => {
    const at = (await client.lrange(key, from, to)).indexOf(entry);
    return at < 0 ? -1 : from + at;
  };
  const near = Math.max(0, index - nearEntries);
  let found = await within(near, index + nearEntries);
  for (let end = near; found < 0 && end > 0; end = Math.max(0, end - farEntries))
    found = await within(Math.max(0, end - farEntries), end - 1);
  if (found < 0) found = await within(index + nearEntries + 1, index + farEntries);
  return found;
}

/** Offers by their numbers; undefined when there are none, or none is live. */
async function listOffered<T>(
  client: RedisClient,
  keys: QueueKeys,
  { after, limit }: { readonly after: string; readonly limit: number },
  read: ReadEntries<T>,
): Promise<{ readonly messages: readonly T[]; readonly last: string } | undefined> {
  const pairs = await client.zrange(keys.offered, `(${after}`, '+inf', 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES');
  const page = pairs.filter((_, index) => index % 2 === 0).map((id) => ({ id, at: undefined }));
  const messages = page.length === 0 ? [] : await read(page);
  return messages.length === 0 ? undefined : { messages, last: `${pairs.at(-1)} ${pairs.at(-2)}` };
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

const unparkKeys = ['settings', 'state', 'messages', 'ids', 'parked', 'idle', 'wake'] as const;

// Makes parked messages ready again, at the back.
//
// KEYS those of `unparkKeys`, then the lists of waiting messages
// ARGV ids or entries
// RETURNS how many were parked
const unparkScript = new Script(`#!lua
local call, n = redis.call, 0
${keyNames(...unparkKeys)}
${addTo}
${waitingLists}
${idFragments}
local limitBytes = call('HEXISTS', settings, 'max-bytes') == 1
for _, name in ipairs(ARGV) do
  local entry = call('HEXISTS', messages, name) == 1 and name or holderOf(ids, messages, name) or name
  local frame = call('ZREM', parked, entry) == 1 and call('HGET', messages, entry)
  if frame then
    putLast(frame:byte(2), entry)
    if limitBytes then addTo(state, 'bytes', #frame) end
    n = n + 1
  end
end
local woken = n > 0 and call('ZPOPMIN', idle, n) or {}
for i = 1, #woken, 2 do call('RPUSH', wake, woken[i]) end
return n
`);

const mostUnparked = 500;

export async function unpark(
  client: RedisClient,
  keys: QueueKeys,
  priorities: number,
  ids: readonly string[],
): Promise<number> {
  const scriptKeys = [...unparkKeys.map((name) => keys[name]), ...waitingKeys(keys, priorities)];
  let count = 0;
  for (let next = 0; next < ids.length; next += mostUnparked)
    count += asInteger(await unparkScript.run(client, scriptKeys, ids.slice(next, next + mostUnparked)));
  return count;
}
