import { asInteger, type RedisClient, Script } from '@millrace/redis';
import { type QueueKeys, queueKeys, readyKeys, unackedKey } from './keys.js';
import { giveBackOffers } from './offers.js';

// Ends a consumer's registration and gives back what it held, a slice a call. From its first slice on the consumer is
// fenced off: its own scripts find no registration. The consumer on duty goes on with what is in `dead`.
// An offer that is not claimed within a second may have gone to this one: any consumer pops from `wake`, so it is unknown to
// which. It is recalled; should another still claim it, that claim comes too late. When there is no other it returns immediately.
//
// KEYS 1 messages 2 unacked:<the consumer> 3 consumers 4 meta 5 consumer-info 6 expiry 7 held 8 counts 9 dying 10 dead
//      11 idle 12 wake 13 progress 14 cancels 15 offered 16… ready, lowest priority first
// ARGV 1 its id 2 'leaves' | 'expired' | the deadline it must still have 3 how many messages at most
// RETURNS -1 when it lives, else how many messages it still holds
const departureScript = new Script(String.raw`#!lua flags=allow-oom
${giveBackOffers}
local call, id, why = redis.call, ARGV[1], ARGV[2]
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local deadline, back = call('ZSCORE', KEYS[3], id), 0
if deadline then
  if why == 'expired' and tonumber(deadline) > now then return -1 end
  if why ~= 'expired' and why ~= 'leaves' and deadline ~= why then return -1 end
  call('ZREM', KEYS[3], id)
  call('HDEL', KEYS[5], id)
  call('ZREM', KEYS[11], id)
  call('HSET', KEYS[4], 'used-at', now)
  call('SADD', KEYS[10], id)
  if call('ZCARD', KEYS[3]) == 0 then
    local isLimited = call('HEXISTS', KEYS[4], 'max-bytes') == 1
    giveBackOffers(KEYS[15], KEYS[1], KEYS[16], isLimited and KEYS[4] or nil, call('ZRANGE', KEYS[15], 0, -1))
    call('HDEL', KEYS[4], 'recall', 'recall-at')
  elseif call('EXISTS', KEYS[15]) == 1 then
    local due = math.min(now + 1000, tonumber(call('HGET', KEYS[4], 'recall-at') or math.huge))
    call('HSET', KEYS[4], 'recall', call('HGET', KEYS[4], 'offers') or '+inf', 'recall-at', due)
    back = 1
  end
  if call('HGET', KEYS[4], 'active') == id then
    local next
    for _, other in ipairs(call('ZRANGE', KEYS[3], 0, -1)) do if not next or other < next then next = other end end
    if next then call('HSET', KEYS[4], 'active', next) call('RPUSH', KEYS[12], next) else call('HDEL', KEYS[4], 'active') end
  end
  -- The timer for what is due next leaves with it: another idle consumer is woken to take it over.
  if call('HGET', KEYS[4], 'keeper') == id then
    call('HDEL', KEYS[4], 'keeper', 'keeper-due')
    back = 1
  end
end
local meta = call('HMGET', KEYS[4], 'delivery-limit', 'max-bytes')
local ids = call('SPOP', KEYS[2], ARGV[3])
table.sort(ids, function(a, b) return a > b end)
for _, message in ipairs(ids) do
  local frame = call('HGET', KEYS[1], message)
  call('HDEL', KEYS[13], message)
  call('HDEL', KEYS[14], message)
  local ends = call('ZSCORE', KEYS[7], message)
  if ends then call('ZREM', KEYS[7], message) end
  local count = why ~= 'leaves' and frame and call('HINCRBY', KEYS[8], message, 1) or 0
  -- Losses, see deliveries.ts: they stop at 2.
  if count > 0 and count < 4503599627370496 then call('HINCRBY', KEYS[8], message, '2251799813685248') end
  if frame and count % 65536 > tonumber(meta[1] or 20) then
    local error = {name = 'LeaseLostError', stack = '', message = ('came back %d times without a verdict, the last time '
      .. 'because its consumer\'s lease ran out while it was handled (by a handler that blocks the event loop?), or its '
      .. 'process died'):format(count % 65536)}
    call('HSET', KEYS[9], message, cjson.encode({reason = 'delivery_limit', time = now, error = error}))
  elseif frame then
    call('LPUSH', KEYS[16 + math.min(frame:byte(2), #KEYS - 16)], message)
    if ends then call('ZADD', KEYS[6], ends, message) end
    if meta[2] then call('HINCRBY', KEYS[4], 'bytes', #frame) end
    back = back + 1
  end
end
local left = call('SCARD', KEYS[2])
if left == 0 then call('SREM', KEYS[10], id) end
local woken = back > 0 and call('ZPOPMIN', KEYS[11], back) or {}
for i = 1, #woken, 2 do call('RPUSH', KEYS[12], woken[i]) end
return left
`);

/** Most messages given back by one call. */
const sliceMessages = 200;

/**
 * Ends a registration and gives back all that the consumer held.
 *
 * @param why `leaves`: it says so itself, its messages count as never taken. `expired`: only when its lease is over.
 *   Anything else: the deadline it was seen with; when it has another by now, it lives.
 * @returns false when the consumer lives
 */
export async function endRegistration(
  client: RedisClient,
  place: { readonly prefix: string; readonly queue: string; readonly priorities: number },
  consumer: string,
  why: 'leaves' | 'expired' | (string & {}),
): Promise<boolean> {
  const all: QueueKeys = queueKeys(place.prefix, place.queue);
  const keys = [all.messages, unackedKey(place.prefix, place.queue, consumer), all.consumers, all.meta];
  keys.push(all.consumerInfo, all.expiry, all.held, all.counts, all.dying, all.dead, all.idle, all.wake);
  keys.push(all.progress, all.cancels, all.offered, ...readyKeys(all, place.priorities));
  for (;;) {
    const left = asInteger(await departureScript.run(client, keys, [consumer, why, sliceMessages]));
    if (left < 0) return false;
    if (left === 0) return true;
  }
}
