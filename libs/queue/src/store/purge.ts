import { argNames, asInteger, asList, keyNames, type RedisClient, Script } from '@millrace/redis';
import { addTo } from './counters.js';
import { endingKeys, endMessages } from './endings.js';
import { type QueueKeys, queueKeys, unackedKey, waitingKeys } from './keys.js';

/** Most messages that one call removes: about a millisecond of Redis' time. */
const sliceMessages = 250;

const purgeKeys = [...endingKeys, 'state', 'offered'] as const;

// Removes waiting messages, the next to be delivered first, and the stale entries between them. Offered messages are removed as well, if
// their consumer has not claimed them yet.
//
// KEYS     those of `purgeKeys`, then the lists of waiting messages
//            those of `endingKeys`   of removed messages: removed, see `endMessages`
//   settings  :settings  max-bytes: read
//   state     :state     stale, bytes: updated
//   offered   :offered   entries: removed first
//             :ready, :front, :kept, :ready:<p> …   entries: removed
// ARGV     most  most entries
//          left  how many to remove in all; '' for all that there are
// RETURNS  { how many messages were removed, how many entries are left to remove }
// EFFECTS  see KEYS
const purgeScript = new Script(`#!lua flags=allow-oom
local call = redis.call
${keyNames(...purgeKeys)}
${argNames('most', 'left')}
${addTo}
${endMessages}
most, left = tonumber(most), tonumber(left)
if not left then
  left = call('ZCARD', offered)
  for list = firstList, #KEYS do left = left + call('LLEN', KEYS[list]) end
end
local limitBytes = call('HEXISTS', settings, 'max-bytes') == 1
local room, stale, bytes, removed = math.min(most, left), 0, 0, 0
local function remove(entries, isListed)
  local live = {}
  for i = 1, #entries do
    local length = call('HSTRLEN', messages, entries[i])
    if length > 0 then
      live[#live + 1] = entries[i]
      if isListed then bytes = bytes + length end
    elseif isListed then stale = stale + 1 end
  end
  endMessages(live, 0, false)
  room, left, removed = room - #entries, left - #entries, removed + #live
end
local offers = call('ZPOPMIN', offered, room)
local entries = {}
for i = 1, #offers, 2 do entries[#entries + 1] = offers[i] end
remove(entries, false)
for list = #KEYS, firstList, -1 do
  if room > 0 then remove(call('LPOP', KEYS[list], room) or {}, true) end
end
if stale > 0 then addTo(state, 'stale', -stale) end
if limitBytes and bytes > 0 then addTo(state, 'bytes', -bytes) end
-- Nothing waits any more, though fewer were removed than there were: the rest was taken.
return {removed, room > 0 and 0 or left}
`);

/** Removes the messages that wait now, a slice per call. Resolves to their number. Messages that come meanwhile stay, unless others were taken. */
export async function purgeWaiting(client: RedisClient, keys: QueueKeys, priorities: number): Promise<number> {
  const scriptKeys = [...purgeKeys.map((name) => keys[name]), ...waitingKeys(keys, priorities)];
  let count = 0;
  let left: number | '' = '';
  do {
    const reply = asList(await purgeScript.run(client, scriptKeys, [sliceMessages, left]));
    count += asInteger(reply[0]);
    left = asInteger(reply[1]);
  } while (left > 0);
  return count;
}

const removeKeys = [...endingKeys, 'state', 'delayed', 'parked', 'offered', 'ended', 'consumers', 'dead'] as const;

// Removes waiting and parked messages, by their entries. Delayed ones, those held by a consumer and dying ones stay.
//
// KEYS     those of `removeKeys`, then the unacked sets of all consumers, including dead ones
//            those of `endingKeys`   of removed messages: removed, see `endMessages`
//   settings   :settings   max-bytes: read
//   state      :state      stale, bytes: updated
//   delayed    :delayed    read
//   parked     :parked     removed messages: removed
//   offered    :offered    removed messages: removed
//   ended      :ended      read
//   consumers  :consumers  counted
//   dead       :dead       counted
//              :unacked:<consumer> …   read
// ARGV     entries
// RETURNS  nil when a consumer came or went meanwhile: nothing was done. Else per entry 1 if it was removed, or 0
// EFFECTS  see KEYS. The entry of a waiting message that is removed stays in its list, stale
const removeScript = new Script(`#!lua flags=allow-oom
local call = redis.call
${keyNames(...removeKeys)}
if call('ZCARD', consumers) + call('SCARD', dead) ~= #KEYS - firstList + 1 then return nil end
${addTo}
${endMessages}
local stays, answer, gone, stale, bytes = {}, {}, {}, 0, 0
for set = firstList, #KEYS do
  for i, isHeld in ipairs(call('SMISMEMBER', KEYS[set], unpack(ARGV))) do stays[i] = stays[i] or isHeld == 1 end
end
local function scores(key) return call('EXISTS', key) == 1 and call('ZMSCORE', key, unpack(ARGV)) or {} end
local isDelayed, isDying, isParked, isOffered = scores(delayed), scores(ended), scores(parked), scores(offered)
for i, entry in ipairs(ARGV) do
  local length = call('HSTRLEN', messages, entry)
  if length == 0 or stays[i] or isDelayed[i] or isDying[i] then answer[i] = 0
  else
    answer[i], gone[#gone + 1] = 1, entry
    if not isParked[i] and not isOffered[i] then stale, bytes = stale + 1, bytes + length end
  end
end
if #gone > 0 and #isParked > 0 then call('ZREM', parked, unpack(gone)) end
if #gone > 0 and #isOffered > 0 then call('ZREM', offered, unpack(gone)) end
endMessages(gone, 0, false)
if stale > 0 then addTo(state, 'stale', stale) end
if bytes > 0 and call('HEXISTS', settings, 'max-bytes') == 1 then addTo(state, 'bytes', -bytes) end
return answer
`);

/** Most look-ups per call: each entry is looked up in the set of each consumer. */
const mostLooks = 10_000;
const maxAttempts = 20;

/** Removes messages by their entries, each once. Resolves to those that were removed. */
export async function removeMessages(
  client: RedisClient,
  place: { readonly prefix: string; readonly queue: string },
  entries: readonly string[],
): Promise<string[]> {
  const all = queueKeys(place.prefix, place.queue);
  const fixed = removeKeys.map((name) => all[name]);
  const removed: string[] = [];
  let [next, attempt] = [0, 0];
  while (next < entries.length) {
    const consumers = (await Promise.all([client.zrange(all.consumers, '0', '-1'), client.smembers(all.dead)])).flat();
    const sets = consumers.map((consumer) => unackedKey(place.prefix, place.queue, consumer));
    const size = Math.max(1, Math.min(sliceMessages, Math.floor(mostLooks / (sets.length + 1))));
    const slice = entries.slice(next, next + size);
    const reply = await removeScript.run(client, [...fixed, ...sets], slice);
    if (reply === null && ++attempt > maxAttempts)
      throw new Error(`consumers of queue "${place.queue}" come and go too fast to remove its messages: try again`);
    if (reply === null) continue;
    const answers = asList(reply).map(asInteger);
    removed.push(...slice.filter((_, index) => answers[index] === 1));
    [next, attempt] = [next + slice.length, 0];
  }
  return removed;
}
