import { asInteger, asList, lua, type RedisClient } from '@millrace/redis';
import { partitionKeys } from './keys.js';
import { type GroupPartition, hashOf, type LeaseHolder } from './lease.js';

/** What a commit writes. */
export interface Commit {
  readonly offset: number;
  /** What is done beyond the offset, and failures: see `model/progress`. */
  readonly progress: Buffer;
  /** A seek: the offset may go back, and that is counted. */
  readonly isSeek?: boolean;
}

export type CommitReply =
  | { readonly kind: 'committed' }
  /** Another member owns the partition, or its offset was moved: whoever asked must stop working on it. */
  | { readonly kind: 'fenced' }
  /** The log ends before the offset: Redis lost its tail. */
  | { readonly kind: 'truncated'; readonly end: number }
  /** The partition, or the group in it, was deleted. */
  | { readonly kind: 'gone' };

/*
 * Moves a group's committed offset, if the caller still owns the partition, and extends the lease.
 * KEYS 1 group's hash  2 records  3 meta
 * ARGV 1 owner  2 epoch  3 offset  4 progress  5 group  6 lease in ms  7 seek: 1 or 0
 * RETURNS { 0 committed } { 1 fenced } { 2 truncated, end } { 3 gone }
 * EFFECTS last-delivered-id of the stream's group is 0-<offset>. It never goes back, except by a seek, which is counted.
 */
const commit = lua`#!lua flags=allow-oom
local lease = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'committed')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then return {1} end
local offset = tonumber(ARGV[3])
local isSeek = ARGV[7] == '1'
if offset < tonumber(lease[3] or '0') and not isSeek then return {1} end
local finish = tonumber(redis.call('HGET', KEYS[3], 'end') or '0')
if offset > finish then return {2, finish} end
if redis.call('EXISTS', KEYS[2]) == 0 then return {3} end
local moved = redis.pcall('XGROUP', 'SETID', KEYS[2], ARGV[5], '0-' .. ARGV[3])
if type(moved) == 'table' and moved.err then return {3} end
local time = redis.call('TIME')
local ends = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[6])
redis.call('HSET', KEYS[1], 'committed', ARGV[3], 'progress', ARGV[4], 'until', ends)
if ARGV[3] ~= lease[3] then redis.call('HSET', KEYS[1], 'crashes', 0) end
if isSeek then redis.call('HINCRBY', KEYS[1], 'rewinds', 1) end
return {0}
`;

export async function commitOffset(
  client: RedisClient,
  place: GroupPartition,
  holder: LeaseHolder,
  leaseMs: number,
  { offset, progress, isSeek }: Commit,
): Promise<CommitReply> {
  const { records, meta } = partitionKeys(place.prefix, place.topic, place.partition);
  const args = [holder.owner, holder.epoch, offset, progress, place.group, leaseMs, isSeek === true ? 1 : 0];
  const reply = asList(await commit.run(client, [hashOf(place), records, meta], args));
  switch (asInteger(reply[0])) {
    case 0:
      return { kind: 'committed' };
    case 2:
      return { kind: 'truncated', end: asInteger(reply[1]) };
    case 3:
      return { kind: 'gone' };
    default:
      return { kind: 'fenced' };
  }
}
