import type { Fragment } from './fragment.js';
import { recallMs } from './offers.js';
import { maxStaleMet } from './turn-taking.js';
import { trimmingDue } from './waiting.js';

// The last parts of a turn: which consumer makes the next one, and when.

/**
 * `due`: when there may be more to do at the queue, if nothing else happens: the rate allows more, a message is due or expires, offers
 * must be recalled, or stale entries trimmed. Taken messages do not expire, so this comes after taking.
 */
export const due: Fragment = {
  reads: [
    ...['now', 'perSecond', 'tokens', 'isLimited', 'recallAt', 'offers', 'stale', 'trim', 'entries'],
    ...['state', 'delayed', 'expiry', 'offered', 'firstList'],
  ],
  sets: ['due', 'isLimited'],
  lua: `
due = math.huge
-- It was stopped by the rate only if there is no token left: with one there is nothing more to take.
isLimited = isLimited and tokens - #entries < 1
if isLimited then due = now + math.max(1, math.ceil((1 - tokens + #entries) * 1000 / perSecond)) end
for _, times in ipairs({delayed, expiry}) do
  local head = call('ZRANGE', times, 0, 0, 'WITHSCORES')[2]
  if head then due = math.min(due, tonumber(head)) end
end
if call('EXISTS', offered) == 1 then
  if not recallAt then
    recallAt = now + ${recallMs}
    call('HSET', state, 'recall', offers or '+inf', 'recall-at', recallAt)
  end
  due = math.min(due, tonumber(recallAt) or now)
end
${trimmingDue}
if (stale or trim) and isTrimmingDue(stale, trim) then due = now end`,
};

/**
 * A consumer that has room left waits in `idle`; one of those that wait, the keeper, looks again when something is `due`. If one
 * has no room and there is more, another is woken. `dueInMs`: when this consumer should make a turn without a wake-up, or -1.
 */
export const wake: Fragment = {
  reads: [
    ...['me', 'wanted', 'maxBytes', 'now', 'may', 'due', 'isLimited', 'keeper', 'keeperDue', 'entries', 'met'],
    ...['state', 'idle', 'wake', 'firstList'],
  ],
  sets: ['dueInMs'],
  lua: `
dueInMs = -1
local hasRoom = #entries < wanted and not (maxBytes and #entries > 0) and (may == 'ok' or may == 'passed')
if hasRoom then
  call('ZADD', idle, 0, me)
  local isKept = keeper and keeper ~= me and (tonumber(keeperDue) or math.huge) <= due and call('ZSCORE', idle, keeper)
  if due < math.huge and not isKept then
    call('HSET', state, 'keeper', me, 'keeper-due', due)
    dueInMs = math.max(0, due - now)
  end
else
  call('ZREM', idle, me)
  if due <= now then dueInMs = 0 end
end
if met >= ${maxStaleMet} then dueInMs = 0 end
local isLeft = not hasRoom and keeper == me and due < math.huge
isLeft = isLeft or not isLimited and call('EXISTS', unpack(KEYS, firstList)) > 0
if isLeft and may ~= 'paused' then
  local another = call('ZPOPMIN', idle)[1]
  if another then call('RPUSH', wake, another) end
end`,
};

/** What `turn` reads. */
export const answer: Fragment = {
  reads: [
    'may',
    'dueInMs',
    'notMine',
    'now',
    'unknown',
    'isAlone',
    'kept',
    'takenOver',
    'entries',
    'frames',
    'history',
  ],
  sets: [],
  lua: `
local flags = (isAlone and 1 or 0) + (kept and 2 or 0)
return {may, dueInMs, notMine, now, unknown, flags, takenOver, cmsgpack.pack(entries, frames), history}`,
};
