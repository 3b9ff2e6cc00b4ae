import { storedInteger } from '@millrace/core';
import { argNames, asBytes, asList, asText, keyNames, orNothing, type RedisClient, Script } from '@millrace/redis';
import type { ConsumerKeys } from './consumer-keys.js';
import { addTo } from './counters.js';
import { endingKeys, endMessages } from './endings.js';
import { queueKeys, resultKey, unackedKey } from './keys.js';

const jobKeys = [...endingKeys, 'state', 'delayed', 'parked', 'ended', 'consumers', 'dead', 'offered'] as const;

// Finds one message, by its entry or its id, anywhere in its queue, and performs an act on it. Cancel: a message without a running
// handler is removed immediately; for one that is being handled, its consumer sees it with its next heartbeat. Remove or replace its frame:
// only one that waits, or is parked. A message that is removed while it waits leaves its entry behind, stale. One that is offered to a
// consumer can be removed, but its frame is under way already.
//
// KEYS     those of `jobKeys`, then the unacked sets of all consumers, including dead ones
//            those of `endingKeys`   of what is cancelled or removed: removed, see `endMessages`
//   state      :state      `stale` and `bytes` of a waiting message that is removed: updated
//   delayed    :delayed    read; a cancelled message: removed
//   parked     :parked     read; a cancelled message: removed
//   offered    :offered    read; a cancelled message: removed
//   ended      :ended      read
//   consumers  :consumers  counted
//   dead       :dead       counted
//              :unacked:<consumer> …   read
// ARGV     id        of the message, or its entry
//          act       find | cancel | remove | replace
//          newFrame  to replace by, or ''
//          then the consumers of those sets
// RETURNS  nil when there is no such message, { 'moved' } when a consumer came or went meanwhile: call again. Else
//          { 'ready' | 'delayed' | 'parked' | 'dying' | 'running', frame, count or '', progress or '', due ms or '', consumer or '', entry }
// EFFECTS  see KEYS; a message that is being handled is added to `cancels`
const jobBody = `
local call = redis.call
${keyNames(...jobKeys)}
${argNames('id', 'act', 'newFrame')}
${addTo}
${endMessages}
local entry = call('HEXISTS', messages, id) == 1 and id or holderOf(ids, messages, id)
local frame = entry and call('HGET', messages, entry)
if not frame then return nil end
local count, reported = call('HGET', counts, entry) or '', call('HGET', progress, entry) or ''
local function at(place, due, consumer) return {place, frame, count, reported, due or '', consumer or '', entry} end
for set = firstList, #KEYS do
  if call('SISMEMBER', KEYS[set], entry) == 1 then
    local consumer = ARGV[firstItem + set - firstList]
    if act == 'cancel' then call('HSET', cancels, entry, consumer) end
    return at('running', nil, consumer)
  end
end
if call('ZSCORE', ended, entry) then return at('dying') end
local due = call('ZSCORE', delayed, entry)
local isParked, isOffered = call('ZSCORE', parked, entry), call('ZSCORE', offered, entry)
local isWaiting = not (due or isParked or isOffered)
if isWaiting and call('ZCARD', consumers) + call('SCARD', dead) ~= #ARGV - firstItem + 1 then return {'moved'} end
local limitBytes = isWaiting and act ~= 'find' and call('HEXISTS', settings, 'max-bytes') == 1
if act == 'replace' and isOffered then return at('running') end
if act == 'cancel' or act == 'remove' and not due then
  endMessages({entry}, 0, false)
  for _, key in ipairs({delayed, parked, offered}) do call('ZREM', key, entry) end
  if isWaiting then addTo(state, 'stale', 1) end
  if limitBytes then addTo(state, 'bytes', -#frame) end
elseif act == 'replace' and (isWaiting or isParked) then
  call('HSET', messages, entry, newFrame)
  if limitBytes then addTo(state, 'bytes', #newFrame - #frame) end
end
return at(due and 'delayed' or isParked and 'parked' or 'ready', due)
`;

const jobScript = new Script(`#!lua flags=allow-oom${jobBody}`);
// To find a message takes no right to write.
const findScript = new Script(`#!lua flags=no-writes${jobBody}`);

/** The state of a message: `dying` is on its way to dead letters, `parked` set aside, `running` held by a consumer. */
export type JobState = 'ready' | 'delayed' | 'parked' | 'dying' | 'running';

/** A message, found in its queue. */
export interface FoundMessage {
  /** Its unique name in the queue. */
  readonly entry: string;
  readonly state: JobState;
  readonly frame: Buffer;
  /** The number in `counts`. */
  readonly deliveries: number;
  /** JSON. */
  readonly progress: string | undefined;
  /** When it is due, ms of Redis' clock. */
  readonly dueAt: number | undefined;
  /** The consumer that holds it. */
  readonly consumer: string | undefined;
}

const maxAttempts = 20;

/** The act to perform on a message that is found. */
export type JobAct = 'find' | 'cancel' | 'remove' | { readonly replaceBy: Buffer };

/** Finds a message, by its id or its entry, and performs an act on it; undefined when the queue holds none. */
export async function findMessage(
  client: RedisClient,
  place: { readonly prefix: string; readonly queue: string },
  id: string,
  act: JobAct,
): Promise<FoundMessage | undefined> {
  const all = queueKeys(place.prefix, place.queue);
  const fixed = jobKeys.map((name) => all[name]);
  const how = typeof act === 'string' ? [act, ''] : ['replace', act.replaceBy];
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const [living, dead] = await Promise.all([client.zrange(all.consumers, '0', '-1'), client.smembers(all.dead)]);
    const consumers = [...living, ...dead];
    const sets = consumers.map((consumer) => unackedKey(place.prefix, place.queue, consumer));
    const script = act === 'find' ? findScript : jobScript;
    const reply = await script.run(client, [...fixed, ...sets], [id, ...how, ...consumers]);
    if (reply === null) return undefined;
    const [state, frame, count, progress, due, consumer, entry] = asList(reply);
    if (frame === undefined) continue;
    return {
      entry: asText(entry),
      state: asText(state) as JobState,
      frame: asBytes(frame),
      deliveries: storedInteger(asText(count)) ?? 0,
      progress: asText(progress) || undefined,
      dueAt: asText(due) === '' ? undefined : Number(asText(due)),
      consumer: asText(consumer) || undefined,
    };
  }
  throw new Error(`consumers of queue "${place.queue}" come and go too fast to find message ${id}: try again`);
}

// Keeps a result for a time, if the consumer holds its message.
//
// KEYS
//   unacked    :unacked:<me>        read
//   consumers  :consumers           my lease: read
//   result     :result:<message id>  written
// ARGV     me      my id
//          entry   of the message
//          json    its result
//          keepMs  how long it is kept
// RETURNS  1, or 0 when the consumer does not hold the message
// EFFECTS  see KEYS
const resultScript = new Script(`#!lua
${keyNames('unacked', 'consumers', 'result')}
${argNames('me', 'entry', 'json', 'keepMs')}
if not redis.call('ZSCORE', consumers, me) or redis.call('SISMEMBER', unacked, entry) == 0 then return 0 end
redis.call('SET', result, json, 'PX', keepMs)
return 1
`);

/** Keeps a result for a time; a consumer whose lease was lost changes nothing. */
export async function keepResult(
  client: RedisClient,
  keys: ConsumerKeys,
  message: { readonly entry: string; readonly messageId: string },
  result: string,
  keepMs: number,
): Promise<void> {
  const { prefix, queue, unacked, consumer, all } = keys;
  const scriptKeys = [unacked, all.consumers, resultKey(prefix, queue, message.messageId)];
  // The acknowledgement that is sent next must not arrive before it.
  await resultScript.runWhole(client, scriptKeys, [consumer, message.entry, result, keepMs]);
}

/** JSON of a result that is kept. */
export async function keptResult(
  client: RedisClient,
  place: { readonly prefix: string; readonly queue: string },
  id: string,
): Promise<string | undefined> {
  return orNothing(await client.get(resultKey(place.prefix, place.queue, id)), String);
}
