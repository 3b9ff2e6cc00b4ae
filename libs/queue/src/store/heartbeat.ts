import { argNames, asInteger, asList, asText, keyNames, type RedisClient, Script, writtenSoon } from '@millrace/redis';
import { completedKeys, completedOver } from './completed.js';
import type { ConsumerKeys } from './consumer-keys.js';
import { recallMs } from './offers.js';
import { checkedKept } from './setting-values.js';
import { trimmingDue } from './waiting.js';

const heartbeatKeys = [
  'settings',
  'state',
  'consumers',
  'consumerInfo',
  'idle',
  'cancels',
  'dead',
  'ended',
  'delayed',
  'expiry',
  'unacked',
  'offered',
  ...completedKeys,
] as const;

// Records that a consumer is alive, and returns what it has to know. About once a second one of a queue's consumers is on duty, the
// next to send a heartbeat: it gets the others, to check which are dead, and the number of lines to carry on.
// No consumer holds the duty: whichever dies, the next heartbeat of any other is soon enough.
//
// KEYS     those of `heartbeatKeys`, then the lists of waiting messages
//   settings      :settings       paused, single-active, keep-completed: read
//   state         :state          duty-at, recall: updated; its fields on offers and trimming: read
//   consumers     :consumers      my lease: renewed; those of the others: read
//   consumerInfo  :consumer-info  my introduction: written; those of the others: read
//   idle          :idle           my id: added when I wait for a wake-up
//   cancels       :cancels        what I must give up: read
//   dead          :dead           consumers whose messages are not all given back: read
//   ended         :ended          counted
//   delayed       :delayed        when the first is due: read
//   expiry        :expiry         when the first expires: read
//   unacked       :unacked:<me>   counted
//   offered       :offered        whether there are any: read
//   completed     :completed      count and oldest time: read; `completedMessages` is not
//                 :ready, :front, :kept, :ready:<p> …   lengths: read
// ARGV     me         my id
//          leaseMs    my lease is renewed for this time
//          isWaiting  '1' when I wait for a wake-up
//          info       my introduction, if it changed, else ''
// RETURNS  { 'lost' } when my registration is gone: then nothing was done. Else { whether there is something to take or to move on,
//          how many messages I hold, entries that I must give up, whether I am on duty, and then: dead consumers, the number of
//          lines, [id, deadline, …], [info, …] }
// EFFECTS  see KEYS; when I am on duty, no other consumer is for 550 ms
const heartbeatScript = new Script(`#!lua flags=allow-oom
local call = redis.call
${keyNames(...heartbeatKeys)}
${argNames('me', 'leaseMs', 'isWaiting', 'info')}
local deadline = call('ZSCORE', consumers, me)
if not deadline then return {'lost'} end
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- The number of the last turn stays in it.
call('ZADD', consumers, now + leaseMs + deadline % 1, me)
if info ~= '' then call('HSET', consumerInfo, me, info) end
local isPaused, singleActive, kept = unpack(call('HMGET', settings, 'paused', 'single-active', 'keep-completed'))
singleActive = singleActive == '1'
${checkedKept}
local active, dutyAt, recallAt, offers, stale, trim = unpack(call('HMGET', state, 'active', 'duty-at', 'recall-at', 'offers', 'stale', 'trim'))
local mayTake = not isPaused and not (singleActive and active ~= me)
if isWaiting == '1' and mayTake then call('ZADD', idle, 0, me) end
local hasWork = mayTake and call('EXISTS', unpack(KEYS, firstList)) > 0
-- Due and expired messages are moved on, also where nothing may be taken.
for _, times in ipairs({delayed, expiry}) do
  local head = call('ZRANGE', times, 0, 0, 'WITHSCORES')[2]
  hasWork = hasWork or head and tonumber(head) <= now
end
if call('EXISTS', offered) == 1 then
  if not recallAt then call('HSET', state, 'recall', offers or '+inf', 'recall-at', now + ${recallMs})
  else hasWork = hasWork or (tonumber(recallAt) or 0) <= now end
end
${trimmingDue}
hasWork = hasWork or (stale or trim) and isTrimmingDue(stale, trim)
if kept and not hasWork then
  ${completedOver}
  hasWork = isCompletedOver(kept, now)
end
hasWork = hasWork and 1 or 0
local held, mine = call('SCARD', unacked), {}
if call('EXISTS', cancels) == 1 then
  local all = call('HGETALL', cancels)
  for i = 1, #all, 2 do if all[i + 1] == me then mine[#mine + 1] = all[i] end end
end
if dutyAt and math.abs(now - (tonumber(dutyAt) or 0)) < 550 then return {hasWork, held, mine, 0} end
call('HSET', state, 'duty-at', now)
local gone = call('SRANDMEMBER', dead, 10)
for _, id in ipairs(call('ZRANGE', consumers, '-inf', now, 'BYSCORE', 'LIMIT', 0, 10)) do gone[#gone + 1] = id end
local others = call('ZRANGE', consumers, 0, 999, 'WITHSCORES')
local ids = {}
for i = 1, #others, 2 do ids[#ids + 1] = others[i] end
return {hasWork, held, mine, 1, gone, call('ZCARD', ended), others, #ids > 1 and call('HMGET', consumerInfo, unpack(ids)) or {}}
`);

/** A consumer as seen by the one on duty. */
export interface Peer {
  readonly consumer: string;
  /** Its lease deadline by Redis' clock, as Redis wrote it. */
  readonly deadline: string;
  /** JSON, see `ConsumerInfo`; '' when unknown. */
  readonly info: string;
}

export interface Heartbeat {
  /** Whether there is something to take, or something that is due or has expired. */
  readonly hasWork: boolean;
  /** How many messages Redis holds for this consumer. */
  readonly held: number;
  /** Messages that must be given up. */
  readonly cancelled: readonly string[];
  /** Only for the consumer on duty. */
  readonly duty:
    | { readonly dead: readonly string[]; readonly ended: number; readonly colleagues: readonly Peer[] }
    | undefined;
}

/** Undefined when the consumer's registration is gone. */
export async function beat(
  client: RedisClient,
  keys: ConsumerKeys,
  state: { readonly leaseMs: number; readonly isWaiting: boolean; readonly info: string },
): Promise<Heartbeat | undefined> {
  const own = { ...keys.all, unacked: keys.unacked };
  const scriptKeys = [...heartbeatKeys.map((name) => own[name]), ...keys.waiting];
  const args = [keys.consumer, state.leaseMs, state.isWaiting ? '1' : '', state.info];
  const reply = asList(await writtenSoon(client, () => heartbeatScript.run(client, scriptKeys, args)));
  if (reply.length === 1) return undefined;
  const isOnDuty = asInteger(reply[3]) === 1;
  return {
    hasWork: asInteger(reply[0]) === 1,
    held: asInteger(reply[1]),
    cancelled: asList(reply[2]).map(asText),
    duty: isOnDuty
      ? {
          dead: asList(reply[4]).map(asText),
          ended: asInteger(reply[5]),
          colleagues: readPeers(asList(reply[6]), asList(reply[7])),
        }
      : undefined,
  };
}

function readPeers(idsAndDeadlines: readonly unknown[], infos: readonly unknown[]): Peer[] {
  return infos.map((info, index) => ({
    consumer: asText(idsAndDeadlines[index * 2]),
    deadline: asText(idsAndDeadlines[index * 2 + 1]),
    info: info === null ? '' : asText(info),
  }));
}
