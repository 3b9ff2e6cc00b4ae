import { asBytes, asInteger, asList, asText, lua, orNothing, type RedisClient } from '@millrace/redis';
import { groupPartitionKey, partitionKeys } from './keys.js';

/** A group's place in one partition. */
export interface GroupPartition {
  readonly prefix: string;
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
}

/** Who holds a lease: the member, the incarnation of it, and the epoch that it got when it took the partition. */
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
      /** How often the group's offset was set by hand. */
      readonly rewinds: number;
      /** How many owners in a row ended without releasing the lease and without moving the offset. */
      readonly crashes: number;
      readonly progress: Buffer;
      /** The id of the topic that the partition belongs to. */
      readonly topicId: number;
    }
  | { readonly kind: 'held'; readonly owner: string; readonly remainingMs: number }
  /** The group has no offset here yet, and the caller did not say where to start. */
  | { readonly kind: 'no-offset' }
  | { readonly kind: 'no-partition' };

/*
 * Takes a partition for a group's member, when it is free, and makes the group known to the stream at the first time.
 * KEYS 1 group's hash  2 records  3 meta
 * ARGV 1 owner  2 lease in ms  3 group  4 owner whose lease may be broken  5 earliest | latest | ask | an offset
 *      6 id of the topic that the group follows (empty: not known)
 * RETURNS { 1, epoch, committed, start, end, rewinds, crashes, progress, topic id }, { 0, remaining ms, owner },
 *   { 2 } no offset, { 3 } no such partition
 * EFFECTS the epoch grows each time. The stream's own group is what counts as the committed offset: when
 *   somebody moved it with redis-cli, the progress beside it is stale and is dropped. What belongs to an older topic of the
 *   name is forgotten, all but the epoch; and where the group followed that one, it reads the new one from its beginning.
 */
const acquire = lua`#!lua flags=allow-oom
local meta = redis.call('HMGET', KEYS[3], 'id', 'start', 'end', 'deleted')
if not meta[1] or meta[4] then return {3} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'until', 'committed', 'progress', 'rewinds', 'crashes', 'topic')
if lease[8] and lease[8] ~= meta[1] then
  redis.call('HDEL', KEYS[1], 'progress', 'rewinds', 'anchor')
  lease = {'', lease[2]}
end
local owner, ends = lease[1] or '', tonumber(lease[3] or '0')
if owner ~= '' and owner ~= ARGV[1] and owner ~= ARGV[4] and ends > now then return {0, ends - now, owner} end
local committed = false
if redis.call('EXISTS', KEYS[2]) == 1 then
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[2])) do
    local fields = {}
    for index = 1, #group, 2 do fields[group[index]] = group[index + 1] end
    if fields['name'] == ARGV[3] then committed = string.match(fields['last-delivered-id'], '%d+$') end
  end
end
local isNew, progress, crashes = not committed, lease[5] or '', tonumber(lease[7] or '0')
if isNew then
  committed = ARGV[5]
  if ARGV[6] ~= '' and ARGV[6] ~= meta[1] then committed = 'earliest' end
  if committed == 'ask' then return {2} end
  if committed == 'earliest' then committed = meta[2] elseif committed == 'latest' then committed = meta[3] end
  redis.call('XGROUP', 'CREATE', KEYS[2], ARGV[3], '0-' .. committed, 'MKSTREAM')
end
if committed ~= lease[4] then progress = '' end
if owner ~= '' and owner ~= ARGV[1] then crashes = crashes + 1 end
local epoch = tonumber(lease[2] or '0') + 1
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'epoch', epoch, 'taken', epoch, 'until', string.format('%.0f', now + ARGV[2]),
  'committed', committed, 'progress', progress, 'crashes', crashes, 'topic', meta[1])
return {1, epoch, tonumber(committed), tonumber(meta[2]), tonumber(meta[3]), tonumber(lease[6] or '0'), crashes, progress,
  tonumber(meta[1])}
`;

/**
 * Tries to take a partition.
 *
 * @param from where to start when the group has no offset here: `ask` answers `no-offset` instead
 * @param dead an owner that is known to be gone, whose lease need not be waited for
 * @param topicId the topic that the group follows: when it was declared again since, the new one is read from its beginning
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

/*
 * Extends a lease. An owner whose time ran out may extend it as long as nobody else took the partition.
 * KEYS 1 group's hash  2 meta
 * ARGV 1 owner  2 epoch it took it with  3 lease in ms
 * RETURNS { committed, end of the log }, or nil when the lease is another's, or on an older topic of the name
 */
const renew = lua`#!lua flags=allow-oom
local lease = redis.call('HMGET', KEYS[1], 'owner', 'taken', 'committed', 'topic')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then return false end
local meta = redis.call('HMGET', KEYS[2], 'end', 'id')
if lease[4] and lease[4] ~= meta[2] then return false end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3]))
return {tonumber(lease[3]), tonumber(meta[1] or '0')}
`;

/** What Redis has where a lease was extended. */
export interface RenewReply {
  readonly committed: number;
  /** The end of the log. */
  readonly end: number;
}

/** Extends leases, each for itself, in one round trip to one server. Undefined where it is lost, an Error where it failed. */
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

/*
 * Gives an owner a higher epoch, as if it had released the partition and taken it again. It holds the lease as before.
 * KEYS 1 group's hash
 * ARGV 1 owner  2 epoch it took the partition with  3 epoch it is to have at least
 * RETURNS 1, or 0 when the lease is another's
 */
const raise = lua`#!lua flags=allow-oom
local lease = redis.call('HMGET', KEYS[1], 'owner', 'taken', 'epoch')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then return 0 end
if tonumber(lease[3]) < tonumber(ARGV[3]) then redis.call('HSET', KEYS[1], 'epoch', ARGV[3]) end
return 1
`;

/** Sees that a lease has at least this epoch, which is higher than the one it was taken with; false when it is another's. */
export async function raiseEpoch(
  client: RedisClient,
  place: GroupPartition,
  { owner, epoch }: LeaseHolder,
  raised: number,
): Promise<boolean> {
  return asInteger(await raise.run(client, [hashOf(place)], [owner, epoch, raised])) === 1;
}

/*
 * Gives a partition back, so that the next owner need not wait.
 * KEYS 1 group's hash
 * ARGV 1 owner  2 epoch it took it with
 * RETURNS 1 released, 0 it was another's already
 */
const release = lua`#!lua flags=allow-oom
local lease = redis.call('HMGET', KEYS[1], 'owner', 'taken')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'owner', '', 'until', 0)
return 1
`;

export async function releaseLease(client: RedisClient, place: GroupPartition, holder: LeaseHolder): Promise<void> {
  await release.run(client, [hashOf(place)], [holder.owner, holder.epoch]);
}

export function hashOf({ prefix, topic, partition, group }: GroupPartition): string {
  return groupPartitionKey(prefix, topic, partition, group);
}
