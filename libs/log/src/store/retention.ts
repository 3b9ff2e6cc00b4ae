import { asInteger, asList, asText, lua, type RedisClient } from '@millrace/redis';
import type { Topic } from '../model/topic.js';
import type { PartitionKeys } from './keys.js';

/** One step of removing old batches from a partition. */
export interface RetentionSlice {
  readonly topic: Topic;
  /** Who does the partition's upkeep, and for how long nobody else shall; undefined: an operator, who needs no lease. */
  readonly lease?: { readonly owner: string; readonly leaseMs: number } | undefined;
  /** Remove what is below this offset, whatever the topic's limits are. */
  readonly before?: number | undefined;
}

export type RetentionReply =
  /** Another does the partition's upkeep, or the partition is gone. */
  | { readonly kind: 'not-ours' }
  | {
      readonly kind: 'trimmed';
      /** There is more to remove: call again. */
      readonly hasMore: boolean;
      readonly start: number;
      /** Groups that had not read what was removed, and how many records it was. */
      readonly unread: readonly { readonly group: string; readonly count: number }[];
    };

/*
 * Removes the oldest batches that are over a limit, a few at a time. A batch goes when what is newer reaches the limit
 * alone, so at least the limit is kept. A timestamp more than an hour ahead of its append says nothing of a batch's age.
 * KEYS 1 records  2 meta  3 upkeep  4 expired
 * ARGV 1 topic id  2 owner  3 lease ms  4 before  5 max age ms  6 max records  7 max bytes (each may be empty)
 *      8 protect what a group has not read (1 or 0)  9 most batches  10 most bytes to look at
 * RETURNS { 0 not ours }, or { 1 done | 2 more, start, group, unread records, … }
 */
const trim = lua`#!lua flags=allow-oom
local meta = redis.call('HMGET', KEYS[2], 'id', 'end', 'start', 'bytes', 'deleted')
if meta[1] ~= ARGV[1] or meta[5] then return {0} end
if ARGV[2] ~= '' then
  if (redis.call('GET', KEYS[3]) or ARGV[2]) ~= ARGV[2] then return {0} end
  redis.call('SET', KEYS[3], ARGV[2], 'PX', ARGV[3])
end
local time = redis.call('TIME')
local before, maxAge, maxRecords, maxBytes = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local oldest = maxAge and time[1] * 1000 + math.floor(time[2] / 1000) - maxAge
local finish, start, bytes = tonumber(meta[2]), tonumber(meta[3]), tonumber(meta[4])
local length, committed, floor, new = redis.call('XLEN', KEYS[1]), {}, finish, start
for _, group in ipairs(length > 0 and redis.call('XINFO', 'GROUPS', KEYS[1]) or {}) do
  local fields = {}
  for index = 1, #group, 2 do fields[group[index]] = group[index + 1] end
  committed[fields['name']] = tonumber(string.match(fields['last-delivered-id'], '%d+$'))
  if ARGV[8] == '1' then floor = math.min(floor, committed[fields['name']]) end
end
local most = math.max(1, math.min(tonumber(ARGV[9]), math.floor(ARGV[10] * length / math.max(bytes, 1))))
local entries, removed = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', most), 0
for _, entry in ipairs(entries) do
  local upTo, size = tonumber(string.match(entry[1], '%d+$')), #entry[2][2]
  -- What something else wrote has no times: it goes with what is around it.
  local written, appended = tonumber(entry[2][4]) or math.huge, tonumber(entry[2][10])
  if appended and written - appended > 3600000 then written = appended end
  local isOver = before and upTo <= before or oldest and written < oldest
    or maxRecords and finish - upTo >= maxRecords or maxBytes and bytes - size >= maxBytes
  if not isOver or upTo > floor then break end
  removed, bytes, new = removed + 1, bytes - size, upTo
end
local hasMore = removed > 0 and removed == #entries and removed < length
if before and not hasMore then new = math.max(new, math.min(before, finish)) end
if removed > 0 then redis.call('XTRIM', KEYS[1], 'MINID', '=', string.format('0-%.0f', new + 1)) end
local reply = {hasMore and 2 or 1, new}
if new > start then redis.call('HSET', KEYS[2], 'start', string.format('%.0f', new), 'bytes', string.format('%.0f', bytes)) end
for group, offset in pairs(committed) do
  if new > math.max(offset, start) then
    redis.call('HINCRBY', KEYS[4], group, new - math.max(offset, start))
    reply[#reply + 1], reply[#reply + 2] = group, new - math.max(offset, start)
  end
end
return reply
`;

// Measured on Redis 7.0, on a machine that was busy otherwise: a slice takes half a millisecond with these.
const maxBatchesASlice = 32;
const maxBytesASlice = 128 * 1024;

export async function trimSlice(
  client: RedisClient,
  keys: PartitionKeys,
  slice: RetentionSlice,
): Promise<RetentionReply> {
  const { topic, lease, before } = slice;
  const { maxAgeMs, maxRecords, maxBytes, unread } = before === undefined ? topic.retention : noLimits;
  const isProtected = unread === 'expire' ? 0 : 1;
  const limits = [before ?? '', maxAgeMs ?? '', maxRecords ?? '', maxBytes ?? '', isProtected];
  const reply = asList(
    await trim.run(
      client,
      [keys.records, keys.meta, keys.upkeep, keys.expired],
      [topic.id, lease?.owner ?? '', lease?.leaseMs ?? 0, ...limits, maxBatchesASlice, maxBytesASlice],
    ),
  );
  const status = asInteger(reply[0]);
  if (status === 0) return { kind: 'not-ours' };
  const groups: { group: string; count: number }[] = [];
  for (let index = 2; index + 1 < reply.length; index += 2) {
    groups.push({ group: asText(reply[index]), count: asInteger(reply[index + 1]) });
  }
  return { kind: 'trimmed', hasMore: status === 2, start: asInteger(reply[1]), unread: groups };
}

const noLimits: Topic['retention'] = { unread: 'expire' };

/** How many records retention removed before each group had read them, since the topic was made. */
export async function expiredUnread(client: RedisClient, keys: PartitionKeys): Promise<Record<string, number>> {
  const counts = await client.hgetall(keys.expired);
  return Object.fromEntries(Object.entries(counts).map(([group, count]) => [group, Number(count)]));
}

/*
 * Forgets producers that have appended nothing for long.
 * KEYS 1 producers
 * ARGV 1 cursor  2 how long a producer is remembered, in ms
 * RETURNS the next cursor
 */
const forget = lua`#!lua flags=allow-oom
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[2]
local reply = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', 100)
for index = 1, #reply[2], 2 do
  local last = tonumber(string.match(reply[2][index + 1], '^%d+ %d+ (%d+)'))
  if last and last < oldest then redis.call('HDEL', KEYS[1], reply[2][index]) end
end
return reply[1]
`;

/** Looks at some hundred producers; answers the cursor for the next call. */
export async function forgetIdleProducers(
  client: RedisClient,
  keys: PartitionKeys,
  cursor: string,
  idleMs: number,
): Promise<string> {
  return asText(await forget.run(client, [keys.producers], [cursor, idleMs]));
}
