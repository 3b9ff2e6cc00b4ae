import { asBytes, asInteger, asList, asText, lua, orNothing, type RedisClient } from '@millrace/redis';
import type { ConsumerKeys } from './consumer-keys.js';
import { queueKeys, readyKeys, resultKey, unackedKey } from './keys.js';

// Finds one message, wherever in its queue it stands, and cancels it if that is asked for: one that no handler has goes
// immediately; of one that is being handled, its consumer learns with its next heartbeat.
//
// KEYS 1 messages 2 delayed 3 parked 4 dying 5 counts 6 progress 7 cancels 8 consumers 9 dead 10 meta 11 expiry 12 handled
//      13 offered 14… unacked sets of all consumers and dead ones
// ARGV 1 id 2 'find' | 'cancel' 3… the consumers of those sets
// RETURNS nil when there is no such message, { 'moved' } when a consumer came or went meanwhile: ask again. Else
//         { 'ready' | 'delayed' | 'parked' | 'dying' | 'running', frame, count or '', progress or '', due ms or '', consumer or '' }
const jobScript = lua`#!lua flags=allow-oom
local call, id = redis.call, ARGV[1]
local frame = call('HGET', KEYS[1], id)
if not frame then return nil end
local function gone() for _, i in ipairs({1, 5, 6, 12}) do call('HDEL', KEYS[i], id) end call('ZREM', KEYS[11], id) end
local count = call('HGET', KEYS[5], id) or ''
local function at(state, due, consumer)
  return {state, frame, count, call('HGET', KEYS[6], id) or '', due or '', consumer or ''}
end
for i = 14, #KEYS do
  if call('SISMEMBER', KEYS[i], id) == 1 then
    local consumer = ARGV[i - 11]
    if ARGV[2] == 'cancel' then call('HSET', KEYS[7], id, consumer) end
    return at('running', nil, consumer)
  end
end
local due = call('ZSCORE', KEYS[2], id)
if due then
  local found = at('delayed', due)
  if ARGV[2] == 'cancel' then call('ZREM', KEYS[2], id) gone() end
  return found
end
if call('ZSCORE', KEYS[3], id) then
  local found = at('parked')
  if ARGV[2] == 'cancel' then call('ZREM', KEYS[3], id) gone() end
  return found
end
if call('HEXISTS', KEYS[4], id) == 1 then return at('dying') end
if call('ZSCORE', KEYS[13], id) then
  local found = at('ready')
  if ARGV[2] == 'cancel' then call('ZREM', KEYS[13], id) gone() end
  return found
end
if call('ZCARD', KEYS[8]) + call('SCARD', KEYS[9]) ~= #ARGV - 2 then return {'moved'} end
local found = at('ready')
if ARGV[2] == 'cancel' then
  gone()
  call('HINCRBY', KEYS[10], 'ghosts', 1)
  if call('HEXISTS', KEYS[10], 'max-bytes') == 1 then call('HINCRBY', KEYS[10], 'bytes', -#frame) end
end
return found
`;

/** Where a message stands: `dying` is on its way to dead letters, `parked` set aside, `running` held by a consumer. */
export type JobState = 'ready' | 'delayed' | 'parked' | 'dying' | 'running';

/** A message, found in its queue. */
export interface FoundMessage {
  readonly state: JobState;
  readonly frame: Buffer;
  /** The number in `counts`. */
  readonly deliveries: number;
  /** JSON. */
  readonly progress: string | undefined;
  /** When it is due, ms of Redis' clock. */
  readonly dueAt: number | undefined;
  /** Who is at it. */
  readonly consumer: string | undefined;
}

const maxAttempts = 20;

/** Finds a message and perhaps cancels it; undefined when the queue holds none of that id. */
export async function findMessage(
  client: RedisClient,
  place: { readonly prefix: string; readonly queue: string },
  id: string,
  what: 'find' | 'cancel',
): Promise<FoundMessage | undefined> {
  const all = queueKeys(place.prefix, place.queue);
  const fixed = [all.messages, all.delayed, all.parked, all.dying, all.counts, all.progress, all.cancels];
  fixed.push(all.consumers, all.dead, all.meta, all.expiry, all.handled, all.offered);
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const [living, dead] = await Promise.all([client.zrange(all.consumers, '0', '-1'), client.smembers(all.dead)]);
    const consumers = [...living, ...dead];
    const sets = consumers.map((consumer) => unackedKey(place.prefix, place.queue, consumer));
    const reply = await jobScript.run(client, [...fixed, ...sets], [id, what, ...consumers]);
    if (reply === null) return undefined;
    const [state, frame, count, progress, due, consumer] = asList(reply);
    if (frame === undefined) continue;
    return {
      state: asText(state) as JobState,
      frame: asBytes(frame),
      deliveries: Number(asText(count)),
      progress: asText(progress) || undefined,
      dueAt: asText(due) === '' ? undefined : Number(asText(due)),
      consumer: asText(consumer) || undefined,
    };
  }
  throw new Error(`consumers of queue "${place.queue}" come and go too fast to find message ${id}: try again`);
}

// Keeps a result for a time, if its message is the consumer's.
//
// KEYS 1 unacked:<me> 2 consumers 3 result
// ARGV 1 my id 2 id of the message 3 result as JSON 4 how long in ms
// RETURNS 1, or 0 when the message is not this consumer's
const resultScript = lua`#!lua
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) or redis.call('SISMEMBER', KEYS[1], ARGV[2]) == 0 then return 0 end
redis.call('SET', KEYS[3], ARGV[3], 'PX', ARGV[4])
return 1
`;

/** Keeps a result for a time; what a consumer says whose lease was lost changes nothing. */
export async function keepResult(
  client: RedisClient,
  keys: ConsumerKeys,
  message: { readonly id: string; readonly publishedId: string },
  result: string,
  keepMs: number,
): Promise<void> {
  const { prefix, queue, unacked, consumer, all } = keys;
  const scriptKeys = [unacked, all.consumers, resultKey(prefix, queue, message.publishedId)];
  // The acknowledgement that is sent next must not come before it.
  await resultScript.runWhole(client, scriptKeys, [consumer, message.id, result, keepMs]);
}

/** JSON of a result that is kept. */
export async function keptResult(
  client: RedisClient,
  place: { readonly prefix: string; readonly queue: string },
  id: string,
): Promise<string | undefined> {
  return orNothing(await client.get(resultKey(place.prefix, place.queue, id)), String);
}

/** How many messages of a queue are in which state. */
export interface QueueCounts {
  /** Waiting for a consumer, or on its way to one. */
  readonly ready: number;
  /** Waiting for their time, or for a retry. */
  readonly delayed: number;
  /** Held by consumers. */
  readonly unacked: number;
  /** Set aside because no handler was for them. */
  readonly parked: number;
  /** Dead letters on their way to where they go. */
  readonly dying: number;
  /** Consumers that are registered, of all processes. */
  readonly consumers: number;
}

export async function countMessages(
  client: RedisClient,
  place: { readonly prefix: string; readonly queue: string; readonly priorities: number },
): Promise<QueueCounts> {
  const all = queueKeys(place.prefix, place.queue);
  const consumers = await client.zrange(all.consumers, '0', '-1');
  const [ghosts, offered, delayed, parked, dying, ...sizes] = await Promise.all([
    client.hget(all.meta, 'ghosts'),
    client.zcard(all.offered),
    client.zcard(all.delayed),
    client.zcard(all.parked),
    client.hlen(all.dying),
    ...readyKeys(all, place.priorities).map((key) => client.llen(key)),
    ...consumers.map((consumer) => client.scard(unackedKey(place.prefix, place.queue, consumer))),
  ]);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  const ready = sum(sizes.slice(0, place.priorities)) + offered - Number(ghosts ?? 0);
  const unacked = sum(sizes.slice(place.priorities));
  return { ready: asInteger(ready), delayed, unacked, parked, dying, consumers: consumers.length };
}

/** The counts of a queue's slots as one. A consumer has a registration in each of them. */
export function sumCounts(counts: readonly QueueCounts[]): QueueCounts {
  const sum = (key: keyof QueueCounts): number => counts.reduce((total, one) => total + one[key], 0);
  return {
    ready: sum('ready'),
    delayed: sum('delayed'),
    unacked: sum('unacked'),
    parked: sum('parked'),
    dying: sum('dying'),
    consumers: Math.max(...counts.map(({ consumers }) => consumers)),
  };
}
