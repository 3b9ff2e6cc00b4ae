import { argNames, asInteger, asList, keyNames, type RedisClient, Script } from '@millrace/redis';
import { partitionKeys } from './keys.js';
import { type GroupPartition, hashOf, type LeaseHolder } from './lease.js';
import { countOrZero } from './partition-bounds.js';

/** What a commit writes. */
export interface Commit {
  readonly offset: number;
  /** What is done beyond the offset, and failure counts: see `model/progress`. */
  readonly progress: Buffer;
  /** Up to where the log was read: the commit is only valid for a log that has this batch. Undefined: nothing was read. */
  readonly anchor: Anchor | undefined;
  /** A seek: the offset may go back, whatever was read, and is counted. */
  readonly isSeek?: boolean;
}

/** Identifies a batch of the log, as its reader knows it. */
export interface Anchor {
  readonly endOffset: number;
  /** Undefined for a batch of an older version. */
  readonly nonce: string | undefined;
}

export type CommitReply =
  | { readonly kind: 'committed' }
  /** Another member owns the partition, or its offset was moved: the caller must stop working on it. */
  | { readonly kind: 'fenced' }
  /** The log ends before the offset: Redis truncated it. */
  | { readonly kind: 'truncated'; readonly end: number }
  /** The log does not hold what was read: Redis truncated it, and other records have the offsets now. */
  | { readonly kind: 'diverged' }
  /** The partition, or the group in it, was deleted; there may be another topic of that name. */
  | { readonly kind: 'gone' };

// Moves a group's committed offset, if the caller still owns the partition, and extends the lease.
//
// KEYS
//   lease    :group:<group>  owner and epoch: compared; `committed`, `progress`, `until`, `anchor`, `crashes`: written
//   records  :records        last-delivered-id of the stream's group is set to 0-<offset>
//   meta     :meta           read
// ARGV     owner
//          epoch         from when it took the partition
//          offset
//          newProgress   what is done beyond the offset
//          group
//          leaseMs
//          seek          1 or 0
//          anchorEnd     end offset of the last batch that was read, or ''
//          anchorNonce   the nonce of that batch
// RETURNS  { 0 committed }, { 1 fenced }, { 2 truncated, end }, { 3 gone }, { 4 diverged }
// EFFECTS  see KEYS. The batch that was read must be in the log, or expired; without one the offset may move to the log's start. The log's
//          last batch is identified by its nonce in meta; another one is looked up once: an anchor stored in the hash was found in this
//          log, since both are lost together or not at all. The offset never goes back, except by a seek, which is counted
const commit = new Script(`#!lua flags=allow-oom
${keyNames('lease', 'records', 'meta')}
${argNames('owner', 'epoch', 'offset', 'newProgress', 'group', 'leaseMs', 'seek', 'anchorEnd', 'anchorNonce')}
${countOrZero}
local holder, taken, committed, knownAnchor, crashes, leasedTopic =
  unpack(redis.call('HMGET', lease, 'owner', 'taken', 'committed', 'anchor', 'crashes', 'topic'))
if holder ~= owner or taken ~= epoch then return {1} end
local target, isSeek, anchor = tonumber(offset), seek == '1', anchorEnd .. ' ' .. anchorNonce
if target < countOrZero(committed) and not isSeek then return {1} end
local finish, start, lastNonce, topicId = unpack(redis.call('HMGET', meta, 'end', 'start', 'nonce', 'id'))
if leasedTopic and leasedTopic ~= topicId then return {3} end
if target > countOrZero(finish) then return {2, countOrZero(finish)} end
local isStray, begin = false, countOrZero(start)
if isSeek then anchor = ''
elseif anchorEnd == '' then isStray = target > math.max(begin, countOrZero(committed))
elseif anchor ~= knownAnchor and not (anchorEnd == finish and anchorNonce == lastNonce) then
  local entry = redis.call('XRANGE', records, '0-' .. anchorEnd, '0-' .. anchorEnd)[1]
  isStray = entry and (entry[2][6] or '') ~= anchorNonce or not entry and begin < tonumber(anchorEnd)
end
if isStray then return {redis.call('EXISTS', records) == 1 and 4 or 3} end
local moved = redis.pcall('XGROUP', 'SETID', records, group, '0-' .. offset)
if type(moved) == 'table' and moved.err then return {3} end
local time = redis.call('TIME')
local ends = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + leaseMs)
redis.call('HSET', lease, 'committed', offset, 'progress', newProgress, 'until', ends, 'anchor', anchor,
  'crashes', offset == committed and crashes or 0)
if isSeek then redis.call('HINCRBY', lease, 'rewinds', 1) end
return {0}
`);

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
