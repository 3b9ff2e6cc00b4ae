import { argNames, asInteger, asList, asText, keyNames, orNothing, type RedisClient, Script } from '@millrace/redis';
import { type GroupKeys, partitionKeys } from './keys.js';
import { type GroupPartition, hashOf } from './lease.js';
import { boundsDamage, countOrZero } from './partition-bounds.js';
import { groupsOf } from './stream-groups.js';

/** The state of a group in one partition. */
export interface GroupPartitionState {
  /** Undefined when the group never read this partition. */
  readonly committed: number | undefined;
  readonly start: number;
  readonly end: number;
  /** The lease holder: member id and incarnation; undefined when the lease is free. */
  readonly owner: string | undefined;
  readonly epoch: number;
  /** When the batch with the next record to read was appended, in ms since 1970; undefined: nothing is left to read. */
  readonly nextAppendedAt: number | undefined;
  /** Redis's clock, in ms since 1970. */
  readonly nowMs: number;
  /** The id of the topic that the partition belongs to. */
  readonly topicId: number;
}

// Reads the state of a group in a partition.
//
// KEYS
//   lease    :group:<group>  read
//   records  :records        read
//   meta     :meta           read
// ARGV     group
// RETURNS  { committed or nil, start, end, owner or nil, epoch, now, topic id, append time of the batch with the next record or nil },
//          or nil when the partition does not exist
// EFFECTS  none
const look = new Script(`#!lua flags=no-writes
${keyNames('lease', 'records', 'meta')}
${argNames('group')}
${groupsOf}
${boundsDamage}
${countOrZero}
local id, start, finish, deleted = unpack(redis.call('HMGET', meta, 'id', 'start', 'end', 'deleted'))
if not id or deleted then return false end
local damage = boundsDamage(start, finish)
if damage then return damage end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local committed = false
for _, found in ipairs(groupsOf(records)) do
  if found.name == group then committed = tonumber(found.committed) end
end
local owner, epoch, ends, leasedTopic = unpack(redis.call('HMGET', lease, 'owner', 'epoch', 'until', 'topic'))
if owner == '' or countOrZero(ends) <= now or leasedTopic and leasedTopic ~= id then owner = false end
start, finish = tonumber(start), tonumber(finish)
local next, appended = committed and math.max(committed, start), false
if next and next < finish then
  local entry = redis.call('XRANGE', records, string.format('(0-%.0f', next), '+', 'COUNT', 1)[1]
  appended = entry and tonumber(entry[2][10] or entry[2][4])
end
return {committed, start, finish, owner, countOrZero(epoch), now, countOrZero(id), appended}
`);

/** Undefined when the partition does not exist. */
export async function lookAtGroup(
  client: RedisClient,
  place: GroupPartition,
): Promise<GroupPartitionState | undefined> {
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

/** Lua: `isLeased(lease)`: whether a member holds the lease of a group's hash. */
const isLeased = `${countOrZero}
local function isLeased(lease)
  local owner, ends = unpack(redis.call('HMGET', lease, 'owner', 'until'))
  local time = redis.call('TIME')
  return owner and owner ~= '' and countOrZero(ends) > time[1] * 1000 + math.floor(time[2] / 1000)
end`;

// Sets the offset of a group without a consumer, forwards or back.
//
// KEYS
//   lease    :group:<group>  the lease: read; `committed`, `progress`, `crashes` and `rewinds`: written
//   records  :records        the stream's group is set, and created if it is missing
//   meta     :meta           read
// ARGV     group
//          offset
// RETURNS  1 set, 0 a member holds the lease, 2 no such partition
// EFFECTS  see KEYS. It is counted like a seek: a record that became a dead letter before may become one again
const set = new Script(`#!lua flags=allow-oom
${keyNames('lease', 'records', 'meta')}
${argNames('group', 'offset')}
${isLeased}
local id, deleted = unpack(redis.call('HMGET', meta, 'id', 'deleted'))
if not id or deleted then return 2 end
if isLeased(lease) then return 0 end
local moved = false
if redis.call('EXISTS', records) == 1 then moved = redis.pcall('XGROUP', 'SETID', records, group, '0-' .. offset) end
if not moved or moved.err then redis.call('XGROUP', 'CREATE', records, group, '0-' .. offset, 'MKSTREAM') end
redis.call('HSET', lease, 'committed', offset, 'progress', '', 'crashes', 0)
redis.call('HINCRBY', lease, 'rewinds', 1)
return 1
`);

export async function setGroupOffset(
  client: RedisClient,
  place: GroupPartition,
  offset: number,
): Promise<'set' | 'held' | 'no-partition'> {
  const { records, meta } = partitionKeys(place.prefix, place.topic, place.partition);
  const reply = await set.run(client, [hashOf(place), records, meta], [place.group, offset]);
  return reply === 1 ? 'set' : reply === 0 ? 'held' : 'no-partition';
}

// Deletes a group in a partition.
//
// KEYS
//   lease    :group:<group>  the lease: read; the key is deleted
//   records  :records        the stream's group is deleted
// ARGV     group
// RETURNS  1 deleted, 0 a member holds the lease
// EFFECTS  see KEYS
const forget = new Script(`#!lua flags=allow-oom
${keyNames('lease', 'records')}
${argNames('group')}
${isLeased}
if isLeased(lease) then return 0 end
redis.call('DEL', lease)
if redis.call('EXISTS', records) == 1 then redis.call('XGROUP', 'DESTROY', records, group) end
return 1
`);

/** False when a member holds the lease. */
export async function forgetGroupOffset(client: RedisClient, place: GroupPartition): Promise<boolean> {
  const { records } = partitionKeys(place.prefix, place.topic, place.partition);
  return (await forget.run(client, [hashOf(place), records], [place.group])) === 1;
}

// Keeps members from joining while an operator changes the group; refused while it has members. Repeatable.
//
// KEYS
//   members  :members  read
//   locked   :locked   the token is written, with a time to live
// ARGV     token
//          lockMs  the longest time
// RETURNS  1 locked, 0 the group is active, 2 another operator holds the lock
// EFFECTS  see KEYS
const lock = new Script(`#!lua flags=allow-oom
${keyNames('members', 'locked')}
${argNames('token', 'lockMs')}
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
if redis.call('ZCOUNT', members, '(' .. now, '+inf') > 0 then return 0 end
if redis.call('SET', locked, token, 'NX', 'PX', lockMs) or redis.call('GET', locked) == token then return 1 end
return 2
`);

const lockMs = 30_000;

export async function lockGroup(
  client: RedisClient,
  keys: GroupKeys,
  token: string,
): Promise<'locked' | 'active' | 'busy'> {
  const reply = await lock.run(client, [keys.members, keys.locked], [token, lockMs]);
  return reply === 1 ? 'locked' : reply === 0 ? 'active' : 'busy';
}

// Lets members join again.
//
// KEYS
//   locked  :locked  deleted, if it has this token
// ARGV     token
// RETURNS  1 unlocked, 0 another operator holds the lock
// EFFECTS  see KEYS
const unlock = new Script(`#!lua flags=allow-oom
${keyNames('locked')}
${argNames('token')}
return redis.call('GET', locked) == token and redis.call('DEL', locked) or 0
`);

export async function unlockGroup(client: RedisClient, keys: GroupKeys, token: string): Promise<void> {
  await unlock.run(client, [keys.locked], [token]);
}
