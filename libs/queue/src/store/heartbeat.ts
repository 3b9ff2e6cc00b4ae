import { asInteger, asList, asText, type RedisClient, Script, writtenSoon } from '@millrace/redis';
import type { ConsumerKeys } from './consumer-keys.js';
import { recallMs } from './offers.js';

// Says that a consumer lives, and tells it what it has to know. About once a second one of a queue's consumers is on duty, the
// next that beats: it gets the others, to see which of them are dead, and how many dead letters are to be carried on.
// The duty is held by none: whichever consumer dies, the next beat of any other is soon enough.
//
// KEYS 1 consumers 2 meta 3 consumer-info 4 idle 5 cancels 6 dead 7 dying 8 delayed 9 expiry 10 unacked:<me> 11 offered 12… ready
// ARGV 1 my id 2 lease in ms 3 '1' when I wait to be woken 4 who I am, when that changed, else ''
// RETURNS { 'lost' } when my registration is gone, else { whether there is something to take or to move on, how many messages are mine, ids that I am to give up, whether I am on duty, dead consumers, how many are dying, [id, deadline, …], [info, …] }
const heartbeatScript = new Script(`#!lua flags=allow-oom
local call, me = redis.call, ARGV[1]
local deadline = call('ZSCORE', KEYS[1], me)
if not deadline then return {'lost'} end
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- The number of the last turn stays in it.
call('ZADD', KEYS[1], now + ARGV[2] + deadline % 1, me)
if ARGV[4] ~= '' then call('HSET', KEYS[3], me, ARGV[4]) end
local meta = call('HMGET', KEYS[2], 'paused', 'single-active', 'active', 'duty-at', 'recall-at', 'offers')
local mayTake = not meta[1] and not (meta[2] and meta[3] ~= me)
if ARGV[3] == '1' and mayTake then call('ZADD', KEYS[4], 0, me) end
local hasWork = 0
if mayTake then
  for i = 12, #KEYS do if call('EXISTS', KEYS[i]) == 1 then hasWork = 1 end end
end
-- What is due or has expired is moved on, also where nothing may be taken.
for i = 8, 9 do
  local head = call('ZRANGE', KEYS[i], 0, 0, 'WITHSCORES')[2]
  if head and tonumber(head) <= now then hasWork = 1 end
end
if call('EXISTS', KEYS[11]) == 1 then
  if not meta[5] then call('HSET', KEYS[2], 'recall', meta[6] or '+inf', 'recall-at', now + ${recallMs})
  elseif tonumber(meta[5]) <= now then hasWork = 1 end
end
local held, mine = call('SCARD', KEYS[10]), {}
if call('EXISTS', KEYS[5]) == 1 then
  local all = call('HGETALL', KEYS[5])
  for i = 1, #all, 2 do if all[i + 1] == me then mine[#mine + 1] = all[i] end end
end
if meta[4] and now - meta[4] < 550 then return {hasWork, held, mine, 0} end
call('HSET', KEYS[2], 'duty-at', now)
local dead = call('SRANDMEMBER', KEYS[6], 10)
for _, id in ipairs(call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, 10)) do dead[#dead + 1] = id end
local others = call('ZRANGE', KEYS[1], 0, 999, 'WITHSCORES')
local ids = {}
for i = 1, #others, 2 do ids[#ids + 1] = others[i] end
return {hasWork, held, mine, 1, dead, call('HLEN', KEYS[7]), others, #ids > 1 and call('HMGET', KEYS[3], unpack(ids)) or {}}
`);

/** A consumer as the one on duty sees it. */
export interface Colleague {
  readonly consumer: string;
  /** Its lease deadline by Redis' clock, as Redis wrote it. */
  readonly deadline: string;
  /** JSON, see `ConsumerInfo`; '' when it is not known. */
  readonly info: string;
}

export interface Heartbeat {
  /** Whether there is something to take, or something that is due or has expired. */
  readonly hasWork: boolean;
  /** How many messages Redis has down as this consumer's. */
  readonly held: number;
  /** Messages that are to be given up. */
  readonly cancelled: readonly string[];
  /** Only for the one on duty. */
  readonly duty:
    | { readonly dead: readonly string[]; readonly dying: number; readonly colleagues: readonly Colleague[] }
    | undefined;
}

/** Undefined when the consumer's registration is gone. */
export async function beat(
  client: RedisClient,
  keys: ConsumerKeys,
  state: { readonly leaseMs: number; readonly isWaiting: boolean; readonly info: string },
): Promise<Heartbeat | undefined> {
  const { consumers, meta, consumerInfo, idle, cancels, dead, dying, delayed, expiry, offered } = keys.all;
  const scriptKeys = [
    consumers,
    meta,
    consumerInfo,
    idle,
    cancels,
    dead,
    dying,
    delayed,
    expiry,
    keys.unacked,
    offered,
    ...keys.ready,
  ];
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
          dying: asInteger(reply[5]),
          colleagues: readColleagues(asList(reply[6]), asList(reply[7])),
        }
      : undefined,
  };
}

function readColleagues(idsAndDeadlines: readonly unknown[], infos: readonly unknown[]): Colleague[] {
  return infos.map((info, index) => ({
    consumer: asText(idsAndDeadlines[index * 2]),
    deadline: asText(idsAndDeadlines[index * 2 + 1]),
    info: info === null ? '' : asText(info),
  }));
}
