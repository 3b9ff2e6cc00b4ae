import { asInteger, asList, asText, lua, orNothing, type RedisClient } from '@millrace/redis';
import { type GroupKeys, partitionKeys } from './keys.js';
import { type GroupPartition, hashOf } from './lease.js';

/** Where a group stands in one partition. */
export interface GroupPlace {
  /** Undefined when the group never read this partition. */
  readonly committed: number | undefined;
  readonly start: number;
  readonly end: number;
  /** Who holds the lease: member id and incarnation; undefined when nobody does. */
  readonly owner: string | undefined;
  readonly epoch: number;
  /** When the batch that holds the next record to read was appended, in ms since 1970; undefined: nothing is left to read. */
  readonly nextAppendedAt: number | undefined;
  /** Redis's clock, in ms since 1970. */
  readonly nowMs: number;
  /** The topic that the partition belongs to. */
  readonly topicId: number;
}

/*
 * Tells where a group stands in a partition.
 * KEYS 1 group's hash  2 records  3 meta
 * ARGV 1 group
 * RETURNS { committed or nil, start, end, owner or nil, epoch, now, topic id, append time of the batch that holds the next
 *   record or nil }, or nil when there is no such partition
 */
const look = lua`#!lua flags=no-writes
local meta = redis.call('HMGET', KEYS[3], 'id', 'start', 'end', 'deleted')
if not meta[1] or meta[4] then return false end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local committed = false
if redis.call('EXISTS', KEYS[2]) == 1 then
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[2])) do
    local fields = {}
    for index = 1, #group, 2 do fields[group[index]] = group[index + 1] end
    if fields['name'] == ARGV[1] then committed = tonumber(string.match(fields['last-delivered-id'], '%d+$')) end
  end
end
local lease = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'until', 'topic')
local owner = lease[1]
if owner == '' or tonumber(lease[3] or '0') <= now or lease[4] and lease[4] ~= meta[1] then owner = false end
local start, finish, appended = tonumber(meta[2]), tonumber(meta[3]), false
local next = committed and math.max(committed, start)
if next and next < finish then
  local entry = redis.call('XRANGE', KEYS[2], string.format('(0-%.0f', next), '+', 'COUNT', 1)[1]
  appended = entry and tonumber(entry[2][10] or entry[2][4])
end
return {committed, start, finish, owner, tonumber(lease[2] or '0'), now, tonumber(meta[1]), appended}
`;

/** Undefined when the partition does not exist. */
export async function lookAtGroup(client: RedisClient, place: GroupPartition): Promise<GroupPlace | undefined> {
  const { records, meta } = partitionKeys(place.prefix, place.topic, place.partition);
  const reply = orNothing(await look.run(client, [hashOf(place), records, meta], [place.group]), asList);
  if (reply === undefined) return undefined;
  const [committed, start, end, owner, epoch, nowMs, topicId, nextAppendedAt] = reply;
  return {
    committed: orNothing(committed, asInteger),
    start: asInteger(start),
    end: asInteger(end),
    owner: orNothing(owner, asText),
    epoch: asInteger(epoch),
    nextAppendedAt: orNothing(nextAppendedAt, asInteger),
    nowMs: asInteger(nowMs),
    topicId: asInteger(topicId),
  };
}

/*
 * Sets the offset of a group that nobody consumes for at the moment, forwards or back.
 * KEYS 1 group's hash  2 records  3 meta
 * ARGV 1 group  2 offset
 * RETURNS 1 set, 0 a member holds the lease, 2 no such partition
 * EFFECTS counted, as a seek is: what died before may die again
 */
const set = lua`#!lua flags=allow-oom
local meta = redis.call('HMGET', KEYS[3], 'id', 'deleted')
if not meta[1] or meta[2] then return 2 end
local time = redis.call('TIME')
local lease = redis.call('HMGET', KEYS[1], 'owner', 'until')
if lease[1] and lease[1] ~= '' and tonumber(lease[2]) > time[1] * 1000 + math.floor(time[2] / 1000) then return 0 end
local moved = false
if redis.call('EXISTS', KEYS[2]) == 1 then moved = redis.pcall('XGROUP', 'SETID', KEYS[2], ARGV[1], '0-' .. ARGV[2]) end
if not moved or moved.err then redis.call('XGROUP', 'CREATE', KEYS[2], ARGV[1], '0-' .. ARGV[2], 'MKSTREAM') end
redis.call('HSET', KEYS[1], 'committed', ARGV[2], 'progress', '', 'crashes', 0)
redis.call('HINCRBY', KEYS[1], 'rewinds', 1)
return 1
`;

export async function setGroupOffset(
  client: RedisClient,
  place: GroupPartition,
  offset: number,
): Promise<'set' | 'held' | 'no-partition'> {
  const { records, meta } = partitionKeys(place.prefix, place.topic, place.partition);
  const reply = await set.run(client, [hashOf(place), records, meta], [place.group, offset]);
  return reply === 1 ? 'set' : reply === 0 ? 'held' : 'no-partition';
}

/*
 * Forgets a group in a partition.
 * KEYS 1 group's hash  2 records
 * ARGV 1 group
 * RETURNS 1 forgotten, 0 a member holds the lease
 */
const forget = lua`#!lua flags=allow-oom
local time = redis.call('TIME')
local lease = redis.call('HMGET', KEYS[1], 'owner', 'until')
if lease[1] and lease[1] ~= '' and tonumber(lease[2]) > time[1] * 1000 + math.floor(time[2] / 1000) then return 0 end
redis.call('DEL', KEYS[1])
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('XGROUP', 'DESTROY', KEYS[2], ARGV[1]) end
return 1
`;

/** False when a member holds the lease. */
export async function forgetGroupPlace(client: RedisClient, place: GroupPartition): Promise<boolean> {
  const { records } = partitionKeys(place.prefix, place.topic, place.partition);
  return (await forget.run(client, [hashOf(place), records], [place.group])) === 1;
}

/*
 * Keeps members from joining while an operator works on the group; refused while it has members. Repeatable.
 * KEYS 1 members  2 locked
 * ARGV 1 token  2 how long at most, in ms
 * RETURNS 1 locked, 0 the group is active, 2 another operator has it
 */
const lock = lua`#!lua flags=allow-oom
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
if redis.call('ZCOUNT', KEYS[1], '(' .. now, '+inf') > 0 then return 0 end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) or redis.call('GET', KEYS[2]) == ARGV[1] then return 1 end
return 2
`;

const lockMs = 30_000;

export async function lockGroup(
  client: RedisClient,
  keys: GroupKeys,
  token: string,
): Promise<'locked' | 'active' | 'busy'> {
  const reply = await lock.run(client, [keys.members, keys.locked], [token, lockMs]);
  return reply === 1 ? 'locked' : reply === 0 ? 'active' : 'busy';
}

/*
 * KEYS 1 locked
 * ARGV 1 token
 */
const unlock = lua`#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`;

export async function unlockGroup(client: RedisClient, keys: GroupKeys, token: string): Promise<void> {
  await unlock.run(client, [keys.locked], [token]);
}
