import {
  asInteger,
  asList,
  asText,
  type RedisClient,
  type ReplicaDemand,
  runWithReplicas,
  Script,
  type ScriptArgument,
} from '@millrace/redis';
import { copiesKey, partitionKeys } from './keys.js';
import { appendEntry } from './log-entry.js';
import { appendNonce } from './nonce.js';

/** Records on their way from one partition into another: a dead letter, or what is sent back for one. */
export interface Copy {
  readonly topic: string;
  readonly topicId: number;
  readonly partition: number;
  /** Where it comes from, as the end of a key: see `store/keys`. */
  readonly source: string;
  readonly sourceOffset: number;
  /** Tells two records of one offset apart: which append it came with, and how often the source's reader was set back. */
  readonly pass: string;
  /** Offsets of the source below this will not be copied again: they need not be remembered. */
  readonly floor: number;
  readonly timestamp: number;
  /** How many records the frame holds. */
  readonly count: number;
  readonly frame: Buffer;
  /** How long the memory of copies outlives the last of them; 0: for ever. */
  readonly rememberMs: number;
}

export type CopyReply =
  | { readonly kind: 'copied'; readonly offset: number }
  | { readonly kind: 'repeated' | 'gone' | 'blocked' };

/*
 * Appends one batch unless it was copied from there before: who copies may die between this and its own commit.
 * KEYS 1 records  2 meta  3 copies  4 sources
 * ARGV 1 topic id  2 frame  3 timestamp  4 source offset  5 pass  6 floor  7 how long copies are remembered, in ms; 0: for ever
 *      8 nonce of this append  9 source  10 record count
 * RETURNS { 0, offset }, { 1 } it was there already, { 2 } no such partition, { 3 } blocked
 * EFFECTS an entry as `appendEntry` has it; only then it counts as copied. A repeated copy that is remembered for a time writes that time anew, so
 * that a WAIT after it waits for the first copy as well.
 */
const copy = new Script(`#!lua
${appendEntry}
local meta = redis.call('HMGET', KEYS[2], 'id', 'end', 'bytes', 'time', 'deleted', 'nonce', 'timestamps')
if meta[1] ~= ARGV[1] or meta[5] then return {2} end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', '(' .. ARGV[6])
local copied = ARGV[5] .. ':' .. ARGV[4]
if redis.call('ZSCORE', KEYS[3], copied) then
  if ARGV[7] ~= '0' then redis.call('PEXPIRE', KEYS[3], ARGV[7]) end
  return {1}
end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local log = {finish = meta[2], bytes = meta[3], time = meta[4], nonce = meta[6], timestamps = meta[7]}
local batch = {frame = ARGV[2], count = ARGV[10], timestamp = ARGV[3], nonce = ARGV[8]}
local refusal = appendEntry(KEYS[1], KEYS[2], log, batch, now, {3})
if refusal then return refusal end
redis.call('ZADD', KEYS[3], ARGV[4], copied)
if ARGV[7] ~= '0' then redis.call('PEXPIRE', KEYS[3], ARGV[7]) end
redis.call('SADD', KEYS[4], ARGV[9])
return {0, tonumber(meta[2])}
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

/** What was copied from a source into this partition already, as `<pass>:<offset>`. */
export async function copiedRecords(
  client: RedisClient,
  prefix: string,
  to: { readonly topic: string; readonly partition: number; readonly source: string },
  from: number,
): Promise<Set<string>> {
  const key = copiesKey(prefix, to.topic, to.partition, to.source);
  return new Set(asList(await client.callBuffer('ZRANGEBYSCORE', key, from, '+inf')).map(asText));
}
