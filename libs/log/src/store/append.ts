import {
  argNames,
  asInteger,
  asList,
  asText,
  keyNames,
  orNothing,
  type RedisClient,
  type ReplicaDemand,
  runWithReplicas,
  Script,
  type ScriptArgument,
} from '@millrace/redis';
import type { PartitionKeys } from './keys.js';
import { appendEntry } from './log-entry.js';
import { appendNonce } from './nonce.js';
import { boundsDamage } from './partition-bounds.js';
import { groupsOf } from './stream-groups.js';

/** One batch to be appended to a partition. */
export interface Append {
  readonly topicId: number;
  readonly count: number;
  /** The highest timestamp of its records. */
  readonly maxTimestamp: number;
  readonly frame: Buffer;
  /** The sender, and the sender's number of the batch; undefined: it may be appended twice. */
  readonly identity?: { readonly producerId: string; readonly epoch: number; readonly sequence: number } | undefined;
}

export type AppendReply =
  | {
      readonly kind: 'appended';
      readonly baseOffset: number;
      readonly topicVersion: number;
      /** The timestamp that its records have from now on; undefined: each has its own. */
      readonly timestamp: number | undefined;
    }
  /** An earlier batch of this producer is missing: nothing was written. */
  | { readonly kind: 'gap' }
  /** The partition does not exist, or belongs to another topic of that name now: nothing was written. */
  | { readonly kind: 'gone' }
  /** The topic rejects what would exceed its limit: nothing was written. */
  | { readonly kind: 'over-limit' }
  /** Another program has written into the stream past the log's end: nothing can be appended until that is removed. */
  | { readonly kind: 'blocked' }
  /** A newer epoch of the producer wrote, or the sequence is too old for its offset to be remembered: nothing was written. */
  | { readonly kind: 'stale' };

/** How many batches per producer and partition Redis remembers, and so how many may be in flight simultaneously (as in Kafka). */
export const maxBatchesInFlight = 5;

// Appends one record batch, exactly once: a repeated sequence number gets the same reply as the first time.
//
// KEYS
//   records    :records    the batch is appended, see `appendEntry`
//   meta       :meta       the topic's id, version and limits: read; the log's end: advanced
//   producers  :producers  the state of an idempotent producer: epoch, highest sequence, time, base offsets of its last batches
// ARGV     topicId       the partition must belong to this topic
//          count         of records
//          maxTimestamp  the highest timestamp of the records
//          frame
//          producer      its id, or '' for a batch that may be appended twice
//          epoch         of the producer
//          sequence      of the batch, within the producer's epoch
//          nonce         of this append
// RETURNS  { 0, base offset, topic version, append time if it is the records' timestamp }, { 1 gap }, { 2 gone }, { 3 over limit },
//          { 4 stale }, { 5 blocked }, or an error: the frame does not have that many records, or `meta` is damaged
// EFFECTS  see KEYS. A repeated batch writes its producer's state, so that a WAIT after it covers the first append as well
const append = new Script(`#!lua
${keyNames('records', 'meta', 'producers')}
${argNames('topicId', 'count', 'maxTimestamp', 'frame', 'producer', 'epoch', 'sequence', 'nonce')}
${appendEntry}
${boundsDamage}
local id, version, finish, start, bytes, lastTime, maxRecords, maxBytes, floor, deleted, lastNonce, timestamps = unpack(redis.call('HMGET', meta,
  'id', 'version', 'end', 'start', 'bytes', 'time', 'maxRecords', 'maxBytes', 'floor', 'deleted', 'nonce', 'timestamps'))
if id ~= topicId or deleted then return {2} end
local damage = boundsDamage(start, finish, bytes, lastTime)
if damage then return damage end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local state = {}
if producer ~= '' then
  for part in string.gmatch(redis.call('HGET', producers, producer) or '', '[^ ]+') do state[#state + 1] = part end
  if not (tonumber(state[1]) and tonumber(state[2])) then state = {} end
  local order, last = tonumber(sequence), -1
  if tonumber(epoch) < tonumber(state[1] or 0) then return {4} end
  if tonumber(epoch) == tonumber(state[1]) then last = tonumber(state[2]) else state = {} end
  if order > last + 1 then return {1} end
  if order <= last then
    local first = state[4 + last - order]
    if not first then return {4} end
    state[3] = now
    redis.call('HSET', producers, producer, table.concat(state, ' '))
    local offset, appended = string.match(first, '(%d+)@?(%d*)')
    return {0, tonumber(offset), tonumber(version) or 0, tonumber(appended)}
  end
end
local base = tonumber(finish)
if maxRecords or maxBytes then
  local unread = base - math.max(tonumber(start), tonumber(floor) or 0)
  if unread + count > (tonumber(maxRecords) or math.huge) then return {3} end
  if bytes * unread / math.max(base - start, 1) + #frame > (tonumber(maxBytes) or math.huge) then return {3} end
end
local log = {finish = base, bytes = bytes, time = lastTime, nonce = lastNonce, timestamps = timestamps}
local batch = {frame = frame, count = count, timestamp = maxTimestamp, nonce = nonce}
local refusal = appendEntry(records, meta, log, batch, now, {5})
if refusal then return refusal end
if producer ~= '' then
  local appended = timestamps and finish .. '@' .. now or finish
  local bases = table.concat({appended, state[4], state[5], state[6], state[7]}, ' ')
  redis.call('HSET', producers, producer, table.concat({epoch, sequence, now, bases}, ' '))
end
return {0, base, tonumber(version) or 0, timestamps and tonumber(now)}
`);

/** Appends a batch. After a lost reply, send the same identity again. */
export async function appendBatch(client: RedisClient, keys: PartitionKeys, batch: Append): Promise<AppendReply> {
  const call = appendCall(keys, batch);
  return readAppendReply(await call.script.run(client, call.keys, call.args));
}

/** Appends a batch and waits for replicas, in one round trip. The client blocks meanwhile. */
export async function appendWithReplicas(
  client: RedisClient,
  keys: PartitionKeys,
  batch: Append,
  demand: ReplicaDemand,
): Promise<AppendReply | { readonly kind: 'unconfirmed'; readonly confirmations: string }> {
  const { script, ...call } = appendCall(keys, batch);
  // A repeated append writes too, so it waits for the first one.
  const { reply, shortfall } = await runWithReplicas(client, script, call, demand);
  const appended = readAppendReply(reply);
  if (appended.kind !== 'appended' || shortfall === undefined) return appended;
  return { kind: 'unconfirmed', confirmations: shortfall };
}

function appendCall(
  keys: PartitionKeys,
  batch: Append,
): { readonly script: Script; readonly keys: string[]; readonly args: ScriptArgument[] } {
  const { producerId, epoch, sequence } = batch.identity ?? { producerId: '', epoch: 0, sequence: 0 };
  return {
    script: append,
    keys: [keys.records, keys.meta, keys.producers],
    args: [batch.topicId, batch.count, batch.maxTimestamp, batch.frame, producerId, epoch, sequence, appendNonce()],
  };
}

function readAppendReply(reply: unknown): AppendReply {
  const [status, baseOffset, topicVersion, timestamp = null] = asList(reply);
  switch (asInteger(status)) {
    case 0:
      return {
        kind: 'appended',
        baseOffset: asInteger(baseOffset),
        topicVersion: asInteger(topicVersion),
        timestamp: orNothing(timestamp, asInteger),
      };
    case 1:
      return { kind: 'gap' };
    case 2:
      return { kind: 'gone' };
    case 3:
      return { kind: 'over-limit' };
    case 5:
      return { kind: 'blocked' };
    default:
      return { kind: 'stale' };
  }
}

// Stores how far the slowest group has read, for the limits that the append script enforces.
//
// KEYS
//   records  :records  its groups: read
//   meta     :meta     `end`: read; `floor`: written
// ARGV     none
// RETURNS  { the offset, the group at it, or '' when none is registered }
// EFFECTS  see KEYS
const noteFloor = new Script(`#!lua flags=allow-oom
${keyNames('records', 'meta')}
${groupsOf}
local floor, slowest = tonumber(redis.call('HGET', meta, 'end') or 0), ''
for _, group in ipairs(groupsOf(records)) do
  if tonumber(group.committed) < floor then floor, slowest = tonumber(group.committed), group.name end
end
local isThere = redis.call('EXISTS', records, meta) == 2
if isThere then redis.call('HSET', meta, 'floor', string.format('%.0f', floor)) end
return {floor, slowest}
`);

/** The group of a partition that has read least. */
export interface SlowestGroup {
  /** Empty: no group is behind. */
  readonly group: string;
  readonly committed: number;
}

/** Updates how far the slowest group of a partition has read; appends are accepted up to the topic's limit beyond it. */
export async function updateFloor(client: RedisClient, keys: PartitionKeys): Promise<SlowestGroup> {
  const [floor, slowest] = asList(await noteFloor.run(client, [keys.records, keys.meta], []));
  return { group: asText(slowest), committed: asInteger(floor) };
}

/** Deletes the state of a producer that ends, instead of leaving it to the upkeep. */
export async function forgetProducer(client: RedisClient, keys: PartitionKeys, producerId: string): Promise<void> {
  await client.hdel(keys.producers, producerId);
}
