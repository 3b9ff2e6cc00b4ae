import { argNames, asInteger, asList, asText, keyNames, type RedisClient, Script } from '@millrace/redis';
import type { Topic } from '../model/topic.js';
import type { PartitionKeys } from './keys.js';
import { boundsDamage } from './partition-bounds.js';
import { groupsOf } from './stream-groups.js';

/** One step of removing old batches from a partition. */
export interface RetentionSlice {
  readonly topic: Topic;
  /** The process that does the partition's upkeep, and for how long no other may; undefined: an operator, who needs no lease. */
  readonly lease?: { readonly owner: string; readonly leaseMs: number } | undefined;
  /** Remove what is below this offset, whatever the topic's limits are. */
  readonly before?: number | undefined;
}

export type RetentionReply =
  /** Another process does the partition's upkeep, or the partition is gone. */
  | { readonly kind: 'not-ours' }
  | {
      readonly kind: 'trimmed';
      /** There is more to remove: call again. */
      readonly hasMore: boolean;
      readonly start: number;
      /** Groups that had not read what was removed, and how many records that was. */
      readonly unread: readonly { readonly group: string; readonly count: number }[];
    };

// Removes the oldest batches that are over a limit, a few per call. A batch is removed when the newer ones alone reach the limit,
// so at least the limit is kept. A timestamp more than an hour ahead of its append does not count for a batch's age.
//
// KEYS
//   records  :records  batches: removed; the groups: read
//   meta     :meta     read; `start` and `bytes`: written
//   upkeep   :upkeep   the lease of the process that does the upkeep: written
//   expired  :expired  incremented, per group that had not read the removed records
// ARGV     topicId      the partition must belong to this topic
//          owner        the process that does the upkeep, or '': no lease needed
//          leaseMs
//          before       an offset, or ''
//          maxAgeMs     or ''
//          maxRecords   or ''
//          maxBytes     or ''
//          isProtected  1: keep what a group has not read, else 0
//          mostBatches  per call
//          mostBytes    to read per call
// RETURNS  { 0 not the owner }, or { 1 done | 2 more, start, group, unread records, … }
// EFFECTS  see KEYS
const trim = new Script(`#!lua flags=allow-oom
${keyNames('records', 'meta', 'upkeep', 'expired')}
${argNames('topicId', 'owner', 'leaseMs', 'before', 'maxAgeMs', 'maxRecords', 'maxBytes', 'isProtected', 'mostBatches', 'mostBytes')}
${groupsOf}
${boundsDamage}
local id, finish, start, bytes, deleted = unpack(redis.call('HMGET', meta, 'id', 'end', 'start', 'bytes', 'deleted'))
if id ~= topicId or deleted then return {0} end
local damage = boundsDamage(start, finish, bytes)
if damage then return damage end
if owner ~= '' then
  if (redis.call('GET', upkeep) or owner) ~= owner then return {0} end
  redis.call('SET', upkeep, owner, 'PX', leaseMs)
end
local time = redis.call('TIME')
before, maxRecords, maxBytes = tonumber(before), tonumber(maxRecords), tonumber(maxBytes)
local oldest = tonumber(maxAgeMs) and time[1] * 1000 + math.floor(time[2] / 1000) - maxAgeMs
finish, start, bytes = tonumber(finish), tonumber(start), tonumber(bytes)
local groups, floor, new = groupsOf(records), finish, start
for _, group in ipairs(groups) do
  if isProtected == '1' then floor = math.min(floor, tonumber(group.committed)) end
end
local length = redis.call('XLEN', records)
local most = math.max(1, math.min(tonumber(mostBatches), math.floor(mostBytes * length / math.max(bytes, 1))))
local entries, removed = redis.call('XRANGE', records, '-', '+', 'COUNT', most), 0
for _, entry in ipairs(entries) do
  local upTo, size = tonumber(string.match(entry[1], '%d+$')), #entry[2][2]
  -- Entries of other programs have no times: they are removed with their neighbours.
  local written, appended = tonumber(entry[2][4]) or math.huge, tonumber(entry[2][10])
  if appended and written - appended > 3600000 then written = appended end
  local isOver = before and upTo <= before or oldest and written < oldest
    or maxRecords and finish - upTo >= maxRecords or maxBytes and bytes - size >= maxBytes
  if not isOver or upTo > floor then break end
  removed, bytes, new = removed + 1, bytes - size, upTo
end
local hasMore = removed > 0 and removed == #entries and removed < length
if before and not hasMore then new = math.max(new, math.min(before, finish)) end
if removed > 0 then redis.call('XTRIM', records, 'MINID', '=', string.format('0-%.0f', new + 1)) end
local reply = {hasMore and 2 or 1, new}
if new > start then redis.call('HSET', meta, 'start', string.format('%.0f', new), 'bytes', string.format('%.0f', bytes)) end
for _, group in ipairs(groups) do
  local read = math.max(tonumber(group.committed), start)
  if new > read then
    redis.call('HINCRBY', expired, group.name, new - read)
    reply[#reply + 1], reply[#reply + 2] = group.name, new - read
  end
end
return reply
`);

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

/** How many records retention removed before each group had read them, since the topic was created. */
export async function expiredUnread(client: RedisClient, keys: PartitionKeys): Promise<Record<string, number>> {
  const counts = await client.hgetall(keys.expired);
  return Object.fromEntries(Object.entries(counts).map(([group, count]) => [group, Number(count)]));
}

// Deletes producers that have appended nothing for long.
//
// KEYS
//   producers  :producers  idle producers: removed
// ARGV     cursor
//          idleMs  how long a producer is remembered
// RETURNS  the next cursor
// EFFECTS  see KEYS
const forget = new Script(`#!lua flags=allow-oom
${keyNames('producers')}
${argNames('cursor', 'idleMs')}
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - idleMs
local next, found = unpack(redis.call('HSCAN', producers, cursor, 'COUNT', 100))
for index = 1, #found, 2 do
  local last = tonumber(string.match(found[index + 1], '^%d+ %d+ (%d+)'))
  if last and last < oldest then redis.call('HDEL', producers, found[index]) end
end
return next
`);

/** Checks some hundred producers; resolves to the cursor for the next call. */
export async function forgetIdleProducers(
  client: RedisClient,
  keys: PartitionKeys,
  cursor: string,
  idleMs: number,
): Promise<string> {
  return asText(await forget.run(client, [keys.producers], [cursor, idleMs]));
}
