import { argNames, asInteger, keyNames, type RedisClient, Script } from '@millrace/redis';
import { addTo } from './counters.js';
import { endingKeys, endMessages, followEnding, followKeys } from './endings.js';
import { queueKeys, unackedKey, waitingKeys } from './keys.js';
import { giveBackOffers } from './offers.js';
import { settingOf } from './setting-values.js';
import { waitingLists } from './waiting.js';

/** Most messages given back per call. */
const sliceMessages = 100;
/** The order is kept for up to this many held messages. */
const mostSorted = 2000;

const departureKeys = [
  ...endingKeys,
  ...followKeys,
  'unacked',
  'consumers',
  'consumerInfo',
  'dead',
  'idle',
  'wake',
  'offered',
] as const;

// Ends a consumer's registration and gives back what it held, a slice per call. From the first slice on the consumer is
// fenced off: its own scripts find no registration. The consumer on duty continues with what is in `dead`.
// A message that was cancelled meanwhile is removed with the consumer.
// An offer that is not claimed within a second may have gone to this consumer: any consumer pops from `wake`, so it is unknown to
// which. It is recalled; if another consumer claims it later, that claim fails. If there is no other, it returns immediately.
//
// KEYS     those of `departureKeys`, then the lists of waiting messages
//          those of `endingKeys`   of what was cancelled: removed, see `endMessages`
//   settings      :settings         delivery-limit, max-bytes: read
//   state         :state            counters, active, keeper, recall: updated
//   unacked       :unacked:<consumer>  what it held: removed
//   consumers     :consumers        its lease: removed
//   consumerInfo  :consumer-info    its introduction: removed
//   dead          :dead             its id: added, until everything is given back
//   messages      :messages         frames of what it held: read
//   counts        :counts           of what it held: incremented, unless it leaves
//   held          :held             expirations of what it held: moved to `expiry`
//   expiry        :expiry           written from `held`
//   ended         :ended            what came back too many times: added
//   followUps     :follow-ups       see `follow`
//   offered       :offered          offers that no consumer can claim: removed
//   idle          :idle             its id, and those that are woken: removed
//   wake          :wake             wake-ups: added
//                 :ready, :front, :kept, :ready:<p> …   what is given back: added
// ARGV     consumer  its id
//          why       'leaves' | 'expired' | the deadline it is expected to have
//          most      most messages
// RETURNS  -1 when it is alive: then nothing was done. Else the number of messages it still holds
// EFFECTS  see above
const departureScript = new Script(String.raw`#!lua flags=allow-oom
local call = redis.call
${keyNames(...departureKeys)}
${argNames('consumer', 'why', 'most')}
${addTo}
${waitingLists}
${giveBackOffers}
${settingOf}
${endMessages}
${followEnding}
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local deadline, back = call('ZSCORE', consumers, consumer), 0
if deadline then
  if why == 'expired' and tonumber(deadline) > now then return -1 end
  if why ~= 'expired' and why ~= 'leaves' and deadline ~= why then return -1 end
  call('ZREM', consumers, consumer)
  call('HDEL', consumerInfo, consumer)
  call('ZREM', idle, consumer)
  call('HSET', state, 'used-at', now)
  call('SADD', dead, consumer)
  local active, keeper, recallAt, offers = unpack(call('HMGET', state, 'active', 'keeper', 'recall-at', 'offers'))
  if call('ZCARD', consumers) == 0 then
    giveBackOffers(call('ZRANGE', offered, 0, -1))
    call('HDEL', state, 'recall', 'recall-at')
  elseif call('EXISTS', offered) == 1 then
    call('HSET', state, 'recall', offers or '+inf', 'recall-at', math.min(now + 1000, tonumber(recallAt) or math.huge))
    back = 1
  end
  if active == consumer then
    local next
    for _, other in ipairs(call('ZRANGE', consumers, 0, -1)) do if not next or other < next then next = other end end
    if next then call('HSET', state, 'active', next) call('RPUSH', wake, next) else call('HDEL', state, 'active') end
  end
  -- Its timer for what is due next is gone: another idle consumer is woken to take it over.
  if keeper == consumer then
    call('HDEL', state, 'keeper', 'keeper-due')
    back = 1
  end
end
local deliveryLimit, limitBytes = unpack(call('HMGET', settings, 'delivery-limit', 'max-bytes'))
deliveryLimit = settingOf(deliveryLimit) or 20
-- The last first, so that earlier ones end up before them. A publisher numbers its entries consecutively, with or without ids: a longer entry is
-- later. The keys have that order, so Lua compares them itself, without a call of a Lua function.
local all = call('SCARD', unacked) <= ${mostSorted} and call('SMEMBERS', unacked) or call('SRANDMEMBER', unacked, most)
local keys, entries = {}, {}
for i = 1, #all do
  local name = all[i]:byte(1) == 46 and all[i]:sub(2) or all[i]
  keys[i] = ('%06d'):format(#name) .. name .. '\0' .. all[i]
  entries[keys[i]] = all[i]
end
table.sort(keys)
for i = #keys, math.max(1, #keys - most + 1), -1 do
  local entry = entries[keys[i]]
  call('SREM', unacked, entry)
  local frame = call('HGET', messages, entry)
  call('HDEL', progress, entry)
  local isCancelled = call('HDEL', cancels, entry) == 1
  local ends = call('ZSCORE', held, entry)
  if ends then call('ZREM', held, entry) end
  local count = why ~= 'leaves' and frame and not isCancelled and addTo(counts, entry, 1) or 0
  -- Losses, see deliveries.ts: counted up to 2.
  if count > 0 and count < 4503599627370496 then addTo(counts, entry, '2251799813685248') end
  if frame and isCancelled then
    endMessages({entry}, now, false)
    addTo(state, 'dropped', 1)
  elseif frame and count % 65536 > deliveryLimit then
    local error = {name = 'LeaseLostError', stack = '', message = ('came back %d times without a settlement, the last time '
      .. 'because its consumer\'s lease expired while it was handled (by a handler that blocks the event loop?), or its '
      .. 'process died'):format(count % 65536)}
    follow(state, ended, followUps, entry, 'dead-letter ' .. cjson.encode({reason = 'delivery_limit', time = now, error = error}))
  elseif frame then
    putFirst(frame:byte(2), entry)
    if ends then call('ZADD', expiry, ends, entry) end
    if limitBytes then addTo(state, 'bytes', #frame) end
    back = back + 1
  end
end
local left = call('SCARD', unacked)
if left == 0 then call('SREM', dead, consumer) end
local woken = back > 0 and call('ZPOPMIN', idle, back) or {}
for i = 1, #woken, 2 do call('RPUSH', wake, woken[i]) end
return left
`);

/**
 * Ends a registration and gives back everything that the consumer held.
 *
 * @param why `leaves`: the consumer itself leaves, its messages count as never taken. `expired`: only when its lease has expired.
 *   Anything else: the deadline it was seen with; if it has another one now, it is alive.
 * @returns false when the consumer is alive
 */
export async function endRegistration(
  client: RedisClient,
  place: { readonly prefix: string; readonly queue: string; readonly priorities: number },
  consumer: string,
  why: 'leaves' | 'expired' | (string & {}),
): Promise<boolean> {
  const { prefix, queue, priorities } = place;
  const all = queueKeys(prefix, queue);
  const own = { ...all, unacked: unackedKey(prefix, queue, consumer) };
  const keys = [...departureKeys.map((name) => own[name]), ...waitingKeys(all, priorities)];
  for (;;) {
    const left = asInteger(await departureScript.run(client, keys, [consumer, why, sliceMessages]));
    if (left < 0) return false;
    if (left === 0) return true;
  }
}
