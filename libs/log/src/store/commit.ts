import { asInteger, asList, lua, type RedisClient } from '@millrace/redis';
import { partitionKeys } from './keys.js';
import { type GroupPartition, hashOf, type LeaseHolder } from './lease.js';

/** What a commit writes. */
export interface Commit {
  readonly offset: number;
  /** What is done beyond the offset, and failures: see `model/progress`. */
  readonly progress: Buffer;
  /** Up to where the log was read: the commit answers for the log that has this batch. Undefined: nothing was read. */
  readonly anchor: Anchor | undefined;
  /** A seek: the offset may go back, whatever was read, and that is counted. */
  readonly isSeek?: boolean;
}

/** A batch of the log, as who read it knows it. */
export interface Anchor {
  readonly endOffset: number;
  /** Undefined in what an older version wrote. */
  readonly nonce: string | undefined;
}

export type CommitReply =
  | { readonly kind: 'committed' }
  /** Another member owns the partition, or its offset was moved: whoever asked must stop working on it. */
  | { readonly kind: 'fenced' }
  /** The log ends before the offset: Redis lost its tail. */
  | { readonly kind: 'truncated'; readonly end: number }
  /** The log does not hold what was read: Redis lost its tail, and other records took the offsets. */
  | { readonly kind: 'diverged' }
  /** The partition, or the group in it, was deleted; the topic may be another one by now. */
  | { readonly kind: 'gone' };

/*
 * Moves a group's committed offset, if the caller still owns the partition, and extends the lease.
 * KEYS 1 group's hash  2 records  3 meta
 * ARGV 1 owner  2 epoch it took the partition with  3 offset  4 progress  5 group  6 lease in ms  7 seek: 1 or 0
 *      8 end offset of the last batch that was read (empty: none)  9 its nonce
 * RETURNS { 0 committed } { 1 fenced } { 2 truncated, end } { 3 gone } { 4 diverged }
 * EFFECTS the batch must be in the log, or expired; without one the offset may move to the log's start. The log's last
 *   batch is known by its nonce in meta; another is looked up, once: what the hash holds as anchor was found in this very
 *   log, since both are lost together or not at all. last-delivered-id of the stream's group is 0-<offset>. It never goes
 *   back, except by a seek, which is counted.
 */
const commit = lua`#!lua flags=allow-oom
local lease = redis.call('HMGET', KEYS[1], 'owner', 'taken', 'committed', 'anchor', 'crashes', 'topic')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then return {1} end
local offset, isSeek, anchor = tonumber(ARGV[3]), ARGV[7] == '1', ARGV[8] .. ' ' .. ARGV[9]
if offset < tonumber(lease[3] or '0') and not isSeek then return {1} end
local meta = redis.call('HMGET', KEYS[3], 'end', 'start', 'nonce', 'id')
if lease[6] and lease[6] ~= meta[4] then return {3} end
local finish, start = tonumber(meta[1] or '0'), tonumber(meta[2] or '0')
if offset > finish then return {2, finish} end
local isStray = false
if isSeek then anchor = ''
elseif ARGV[8] == '' then isStray = offset > math.max(start, tonumber(lease[3] or '0'))
elseif anchor ~= lease[4] and not (ARGV[8] == meta[1] and ARGV[9] == meta[3]) then
  local entry = redis.call('XRANGE', KEYS[2], '0-' .. ARGV[8], '0-' .. ARGV[8])[1]
  isStray = entry and (entry[2][6] or '') ~= ARGV[9] or not entry and start < tonumber(ARGV[8])
end
if isStray then return {redis.call('EXISTS', KEYS[2]) == 1 and 4 or 3} end
local moved = redis.pcall('XGROUP', 'SETID', KEYS[2], ARGV[5], '0-' .. ARGV[3])
if type(moved) == 'table' and moved.err then return {3} end
local time = redis.call('TIME')
local ends = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[6])
local crashes = ARGV[3] == lease[3] and lease[5] or 0
redis.call('HSET', KEYS[1], 'committed', ARGV[3], 'progress', ARGV[4], 'until', ends, 'anchor', anchor, 'crashes', crashes)
if isSeek then redis.call('HINCRBY', KEYS[1], 'rewinds', 1) end
return {0}
`;

export async function commitOffset(
  client: RedisClient,
  place: GroupPartition,
  holder: LeaseHolder,
  leaseMs: number,
  { offset, progress, anchor, isSeek }: Commit,
): Promise<CommitReply> {
  const { records, meta } = partitionKeys(place.prefix, place.topic, place.partition);
  const read = anchor === undefined ? ['', ''] : [anchor.endOffset, anchor.nonce ?? ''];
  const args = [holder.owner, holder.epoch, offset, progress, place.group, leaseMs, isSeek === true ? 1 : 0, ...read];
  const reply = asList(await commit.run(client, [hashOf(place), records, meta], args));
  switch (asInteger(reply[0])) {
    case 0:
      return { kind: 'committed' };
    case 2:
      return { kind: 'truncated', end: asInteger(reply[1]) };
    case 3:
      return { kind: 'gone' };
    case 4:
      return { kind: 'diverged' };
    default:
      return { kind: 'fenced' };
  }
}
