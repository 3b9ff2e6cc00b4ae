import {
  argNames,
  asBytes,
  asInteger,
  asList,
  asText,
  keyNames,
  orNothing,
  type RedisClient,
  Script,
} from '@millrace/redis';
import { groupPartitionKey, partitionKeys } from './keys.js';
import { boundsDamage, countOrZero } from './partition-bounds.js';
import { groupsOf } from './stream-groups.js';

/** A group in one partition. */
export interface GroupPartition {
  readonly prefix: string;
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
}

/** The holder of a lease: the member, its incarnation, and the epoch that it got when it took the partition. */
export interface LeaseHolder {
  /** `<member id> <incarnation>` */
  readonly owner: string;
  readonly epoch: number;
}

export type AcquireReply =
  | {
      readonly kind: 'acquired';
      readonly epoch: number;
      readonly committed: number;
      readonly start: number;
      readonly end: number;
      /** How many times the group's offset was set by hand. */
      readonly rewinds: number;
      /** How many owners in a row ended without releasing the lease and without moving the offset. */
      readonly crashes: number;
      readonly progress: Buffer;
      /** The id of the topic that the partition belongs to. */
      readonly topicId: number;
    }
  | { readonly kind: 'held'; readonly owner: string; readonly remainingMs: number }
  /** The group has no offset here yet, and the caller gave no start. */
  | { readonly kind: 'no-offset' }
  | { readonly kind: 'no-partition' };

// Takes a partition for a group's member when it is free, and creates the stream's group the first time.
//
// KEYS
//   lease    :group:<group>  the lease and the data of the commit: read; the new lease: written
//   records  :records        the stream's group is created if it is missing
//   meta     :meta           read
// ARGV     owner
//          leaseMs
//          group
//          dead             an owner whose lease may be taken over, or ''
//          from             earliest | latest | ask | an offset: where a group without an offset starts
//          followedTopicId  of the topic that the group follows, or '': unknown
// RETURNS  { 1, epoch, committed, start, end, rewinds, crashes, progress, topic id }, { 0, remaining ms, owner }, { 2 no offset },
//          { 3 no such partition }
// EFFECTS  see KEYS; the epoch grows each time. The committed offset is that of the stream's own group: when another program moved
//          it, the progress beside it is stale and is dropped. The data of an older topic of the name is dropped, except
//          the epoch; and if the group followed that one, it reads the new one from its beginning
const acquire = new Script(`#!lua flags=allow-oom
${keyNames('lease', 'records', 'meta')}
${argNames('owner', 'leaseMs', 'group', 'dead', 'from', 'followedTopicId')}
${groupsOf}
${boundsDamage}
${countOrZero}
local topicId, start, finish, deleted = unpack(redis.call('HMGET', meta, 'id', 'start', 'end', 'deleted'))
if not topicId or deleted then return {3} end
local damage = boundsDamage(start, finish)
if damage then return damage end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local holder, epoch, ends, known, progress, rewinds, crashes, leasedTopic =
  unpack(redis.call('HMGET', lease, 'owner', 'epoch', 'until', 'committed', 'progress', 'rewinds', 'crashes', 'topic'))
if leasedTopic and leasedTopic ~= topicId then
  redis.call('HDEL', lease, 'progress', 'rewinds', 'anchor')
  holder, ends, known, progress, rewinds, crashes = false, false, false, false, false, false
end
holder, ends, crashes = holder or '', countOrZero(ends), countOrZero(crashes)
local isOthers = holder ~= '' and holder ~= owner
if isOthers and holder ~= dead and ends > now then return {0, ends - now, holder} end
local committed
for _, found in ipairs(groupsOf(records)) do
  if found.name == group then committed = found.committed end
end
if not committed then
  committed = followedTopicId ~= '' and followedTopicId ~= topicId and 'earliest' or from
  if committed == 'ask' then return {2} end
  if committed == 'earliest' then committed = start elseif committed == 'latest' then committed = finish end
  redis.call('XGROUP', 'CREATE', records, group, '0-' .. committed, 'MKSTREAM')
end
if not progress or committed ~= known then progress = '' end
if isOthers then crashes = crashes + 1 end
-- One that is damaged begins again with the time, which is more than any count of owners.
epoch = (not epoch or tonumber(epoch) == countOrZero(epoch)) and countOrZero(epoch) + 1 or now
redis.call('HSET', lease, 'owner', owner, 'epoch', epoch, 'taken', epoch, 'until', string.format('%.0f', now + leaseMs),
  'committed', committed, 'progress', progress, 'crashes', crashes, 'topic', topicId)
return {1, epoch, tonumber(committed), tonumber(start), tonumber(finish), countOrZero(rewinds), crashes, progress, countOrZero(topicId)}
`);

/**
 * Tries to take a partition.
 *
 * @param from where to start when the group has no offset here: `ask` resolves to `no-offset` instead
 * @param dead an owner that is known to be dead, whose lease need not be waited for
 * @param topicId the topic that the group follows: if it was declared again since, the new one is read from its beginning
 */
export async function acquireLease(
  client: RedisClient,
  place: GroupPartition,
  request: {
    readonly owner: string;
    readonly leaseMs: number;
    readonly from: 'earliest' | 'latest' | 'ask' | number;
    readonly dead?: string | undefined;
    readonly topicId?: number | undefined;
  },
): Promise<AcquireReply> {
  const { records, meta } = partitionKeys(place.prefix, place.topic, place.partition);
  const { owner, leaseMs, from, dead = '', topicId = '' } = request;
  const args = [owner, leaseMs, place.group, dead, from, topicId];
  const reply = asList(await acquire.run(client, [hashOf(place), records, meta], args));
  switch (asInteger(reply[0])) {
    case 0:
      return { kind: 'held', remainingMs: asInteger(reply[1]), owner: asText(reply[2]) };
    case 1:
      return readAcquired(reply);
    case 2:
      return { kind: 'no-offset' };
    default:
      return { kind: 'no-partition' };
  }
}

function readAcquired(reply: readonly unknown[]): AcquireReply {
  const [epoch = 0, committed = 0, start = 0, end = 0, rewinds = 0, crashes = 0] = reply.slice(1, 7).map(asInteger);
  const [progress, topicId] = [asBytes(reply[7]), asInteger(reply[8])];
  return { kind: 'acquired', epoch, committed, start, end, rewinds, crashes, progress, topicId };
}

// Extends a lease. An owner whose lease expired may extend it as long as no other member took the partition.
//
// KEYS
//   lease  :group:<group>  owner and epoch: compared; `until`: written
//   meta   :meta           read
// ARGV     owner
//          epoch    from when it took the partition
//          leaseMs
// RETURNS  { committed, end of the log }, or nil when another owner has the lease, or it is for an older topic of the name
// EFFECTS  see KEYS
const renew = new Script(`#!lua flags=allow-oom
${keyNames('lease', 'meta')}
${argNames('owner', 'epoch', 'leaseMs')}
${countOrZero}
local holder, taken, committed, leasedTopic = unpack(redis.call('HMGET', lease, 'owner', 'taken', 'committed', 'topic'))
if holder ~= owner or taken ~= epoch then return false end
local finish, topicId = unpack(redis.call('HMGET', meta, 'end', 'id'))
if leasedTopic and leasedTopic ~= topicId then return false end
local time = redis.call('TIME')
redis.call('HSET', lease, 'until', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + leaseMs))
return {countOrZero(committed), countOrZero(finish)}
`);

/** What Redis has where a lease was extended. */
export interface RenewReply {
  readonly committed: number;
  /** The end of the log. */
  readonly end: number;
}

/** Extends leases independently of each other, in one round trip to one server. Undefined where it is lost, an Error where it failed. */
export async function renewLeases(
  client: RedisClient,
  leases: readonly (LeaseHolder & { readonly place: GroupPartition; readonly leaseMs: number })[],
): Promise<(RenewReply | Error | undefined)[]> {
  const calls = leases.map(({ place, owner, epoch, leaseMs }) => ({
    keys: [hashOf(place), partitionKeys(place.prefix, place.topic, place.partition).meta],
    args: [owner, epoch, leaseMs],
  }));
  return (await renew.runMany(client, calls)).map((reply) => {
    if (reply instanceof Error) return reply;
    const fields = orNothing(reply, asList);
    return fields && { committed: asInteger(fields[0]), end: asInteger(fields[1]) };
  });
}

// Gives an owner a higher epoch, as if it had released the partition and taken it again. It keeps the lease.
//
// KEYS
//   lease  :group:<group>  owner and epoch: compared; `epoch`: raised
// ARGV     owner
//          epoch   from when it took the partition
//          raised  the least epoch that it gets
// RETURNS  1, or 0 when another owner has the lease
// EFFECTS  see KEYS
const raise = new Script(`#!lua flags=allow-oom
${keyNames('lease')}
${argNames('owner', 'epoch', 'raised')}
${countOrZero}
local holder, taken, current = unpack(redis.call('HMGET', lease, 'owner', 'taken', 'epoch'))
if holder ~= owner or taken ~= epoch then return 0 end
if countOrZero(current) < tonumber(raised) then redis.call('HSET', lease, 'epoch', raised) end
return 1
`);

/** Makes sure that a lease has at least this epoch, which is higher than the one it was taken with; false when another owner has it. */
export async function raiseEpoch(
  client: RedisClient,
  place: GroupPartition,
  { owner, epoch }: LeaseHolder,
  raised: number,
): Promise<boolean> {
  return asInteger(await raise.run(client, [hashOf(place)], [owner, epoch, raised])) === 1;
}

// Releases a partition, so that the next owner need not wait.
//
// KEYS
//   lease  :group:<group>  owner and epoch: compared; the owner is removed
// ARGV     owner
//          epoch  from when it took the partition
// RETURNS  1 released, 0 another owner has it already
// EFFECTS  see KEYS
const release = new Script(`#!lua flags=allow-oom
${keyNames('lease')}
${argNames('owner', 'epoch')}
local holder, taken = unpack(redis.call('HMGET', lease, 'owner', 'taken'))
if holder ~= owner or taken ~= epoch then return 0 end
redis.call('HSET', lease, 'owner', '', 'until', 0)
return 1
`);

export async function releaseLease(client: RedisClient, place: GroupPartition, holder: LeaseHolder): Promise<void> {
  await release.run(client, [hashOf(place)], [holder.owner, holder.epoch]);
}

export function hashOf({ prefix, topic, partition, group }: GroupPartition): string {
  return groupPartitionKey(prefix, topic, partition, group);
}
