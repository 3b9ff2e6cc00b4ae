import {
  argNames,
  asInteger,
  asList,
  asText,
  keyNames,
  type RedisClient,
  type ReplicaDemand,
  runWithReplicas,
  Script,
  type ScriptArgument,
} from '@millrace/redis';
import { copiesKey, partitionKeys } from './keys.js';
import { appendEntry } from './log-entry.js';
import { appendNonce } from './nonce.js';
import { boundsDamage } from './partition-bounds.js';

/** Records copied from one partition into another: a dead letter, or records that are sent back. */
export interface Copy {
  readonly topic: string;
  readonly topicId: number;
  readonly partition: number;
  /** The source partition, as a key suffix: see `store/keys`. */
  readonly source: string;
  readonly sourceOffset: number;
  /** Distinguishes two records of one offset: which append wrote it, and how many times the source's reader was set back. */
  readonly pass: string;
  /** Offsets of the source below this will not be copied again and need not be remembered. */
  readonly floor: number;
  readonly timestamp: number;
  /** The number of records in the frame. */
  readonly count: number;
  readonly frame: Buffer;
  /** How long the memory of copies outlives the last of them, in ms; 0: no limit. */
  readonly rememberMs: number;
}

export type CopyReply =
  | { readonly kind: 'copied'; readonly offset: number }
  | { readonly kind: 'repeated' | 'gone' | 'blocked' };

// Appends one batch unless it was copied from that source before: the copying process may crash between this and its own commit.
//
// KEYS
//   records  :records          the batch is appended, see `appendEntry`
//   meta     :meta             the topic's id: read; the log's end: advanced
//   copies   :copies:<source>  the source's offset is added; those below the floor are removed
//   sources  :sources          the source is added
// ARGV     topicId       the partition must belong to this topic
//          frame
//          timestamp
//          sourceOffset
//          pass          distinguishes two records of one offset
//          floor         offsets of the source below this are not copied again
//          rememberMs    how long copies are remembered after the last of them; 0: no limit
//          nonce         of this append
//          source
//          count         of records
// RETURNS  { 0, offset }, { 1 it was copied before }, { 2 no such partition }, { 3 blocked }
// EFFECTS  see KEYS; only what was appended counts as copied. A repeated copy with a time limit writes that limit again, so
//          that a WAIT after it covers the first copy as well
const copy = new Script(`#!lua
${keyNames('records', 'meta', 'copies', 'sources')}
${argNames('topicId', 'frame', 'timestamp', 'sourceOffset', 'pass', 'floor', 'rememberMs', 'nonce', 'source', 'count')}
${appendEntry}
${boundsDamage}
local id, start, finish, bytes, lastTime, deleted, lastNonce, timestamps =
  unpack(redis.call('HMGET', meta, 'id', 'start', 'end', 'bytes', 'time', 'deleted', 'nonce', 'timestamps'))
if id ~= topicId or deleted then return {2} end
local damage = boundsDamage(start, finish, bytes, lastTime)
if damage then return damage end
redis.call('ZREMRANGEBYSCORE', copies, '-inf', '(' .. floor)
local copied = pass .. ':' .. sourceOffset
if redis.call('ZSCORE', copies, copied) then
  if rememberMs ~= '0' then redis.call('PEXPIRE', copies, rememberMs) end
  return {1}
end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local log = {finish = finish, bytes = bytes, time = lastTime, nonce = lastNonce, timestamps = timestamps}
local batch = {frame = frame, count = count, timestamp = timestamp, nonce = nonce}
local refusal = appendEntry(records, meta, log, batch, now, {3})
if refusal then return refusal end
redis.call('ZADD', copies, sourceOffset, copied)
if rememberMs ~= '0' then redis.call('PEXPIRE', copies, rememberMs) end
redis.call('SADD', sources, source)
return {0, tonumber(finish)}
`);

export async function copyOnce(client: RedisClient, prefix: string, to: Copy): Promise<CopyReply> {
  const { keys, args } = copyCall(prefix, to);
  return readCopyReply(await copy.run(client, keys, args));
}

/** Copies a record and waits for its replicas, in one round trip. The client blocks meanwhile. */
export async function copyWithReplicas(
  client: RedisClient,
  prefix: string,
  to: Copy,
  demand: ReplicaDemand,
): Promise<CopyReply | { readonly kind: 'unconfirmed'; readonly confirmations: string }> {
  const { reply, shortfall } = await runWithReplicas(client, copy, copyCall(prefix, to), demand);
  const copied = readCopyReply(reply);
  return copied.kind === 'gone' || shortfall === undefined ? copied : { kind: 'unconfirmed', confirmations: shortfall };
}

function copyCall(prefix: string, to: Copy): { readonly keys: string[]; readonly args: ScriptArgument[] } {
  const { records, meta, sources } = partitionKeys(prefix, to.topic, to.partition);
  const keys = [records, meta, copiesKey(prefix, to.topic, to.partition, to.source), sources];
  const { topicId, frame, timestamp, sourceOffset, pass, floor, rememberMs, source, count } = to;
  return {
    keys,
    args: [topicId, frame, timestamp, sourceOffset, pass, floor, rememberMs, appendNonce(), source, count],
  };
}

function readCopyReply(reply: unknown): CopyReply {
  const [status, offset] = asList(reply);
  if (status === 0) return { kind: 'copied', offset: asInteger(offset) };
  return { kind: status === 1 ? 'repeated' : status === 2 ? 'gone' : 'blocked' };
}

/** What was already copied from a source into this partition, as `<pass>:<offset>`. */
export async function copiedRecords(
  client: RedisClient,
  prefix: string,
  to: { readonly topic: string; readonly partition: number; readonly source: string },
  from: number,
): Promise<Set<string>> {
  const key = copiesKey(prefix, to.topic, to.partition, to.source);
  return new Set(asList(await client.callBuffer('ZRANGEBYSCORE', key, from, '+inf')).map(asText));
}
