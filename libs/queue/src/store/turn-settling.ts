import { completedKeys, completedOver, keepCompleted, trimCompleted } from './completed.js';
import { endingKeys, endMessages } from './endings.js';
import type { Fragment } from './fragment.js';
import { idFragments } from './identity.js';

// The first parts of a turn: whether the consumer may make it, and what it brings.

/**
 * Ends the turn when the consumer's registration is gone; else renews its lease. `isNext`: the turn before this one was the last that
 * Redis executed.
 *
 * The turn's number is stored in the lease's deadline, as its thousandths of a ms. A turn that finds the number of the one before it can
 * rely on that one's effects. Otherwise (that one was never executed, or Redis went back to an older state) each message that is
 * acknowledged is looked up among those that the consumer holds. When Redis went back, no turn finds the number of the one before it
 * until the consumer has reconciled: another consumer may hold what it took, and must not lose it by this consumer's acknowledgement.
 */
export const fence: Fragment = {
  reads: ['me', 'leaseMs', 'number', 'numberBefore', 'consumers'],
  sets: ['now', 'isNext', 'hasGoneBack'],
  lua: `
local deadline = call('ZSCORE', consumers, me)
if not deadline then return {'lost'} end
isNext = ('%.0f'):format(deadline % 1 * 1000) == numberBefore
hasGoneBack = not isNext and numberBefore ~= ''
local time = call('TIME')
now = time[1] * 1000 + math.floor(time[2] / 1000)
call('ZADD', consumers, now + leaseMs + (hasGoneBack and 0 or number / 1000), me)`,
};

/** Claimed offers go to the consumer. A wake-up that was for another consumer is given back: that one waits again. */
export const claims: Fragment = {
  reads: ['addTo', 'me', 'wakeUp', 'firstItem', 'state', 'unacked', 'offered', 'consumers', 'idle'],
  sets: ['notMine'],
  lua: `
notMine = {}
for i = firstItem, #ARGV do
  local entry = ARGV[i]
  if call('ZREM', offered, entry) == 1 then
    call('SADD', unacked, entry)
    addTo(state, 'delivered', 1)
  elseif call('SISMEMBER', unacked, entry) == 0 then notMine[#notMine + 1] = entry end
end
if wakeUp ~= '' and wakeUp ~= me and call('ZSCORE', consumers, wakeUp) then call('ZADD', idle, 0, wakeUp) end`,
};

/**
 * Ends what was handled. If the queue keeps completed messages (`kept`), they are written first. `isPlain`: nothing but a
 * frame is stored for any message. `unknown`: how many messages the consumer holds beyond those that it knows.
 */
export const endings: Fragment = {
  reads: [
    ...endingKeys,
    ...completedKeys,
    ...['addTo', 'acknowledged', 'known', 'now', 'isNext', 'hasGoneBack', 'notMine', 'kept', 'state', 'unacked'],
  ],
  sets: ['notMine', 'isPlain', 'unknown'],
  lua: `
isPlain = call('EXISTS', counts, held, progress, cancels, handled, expiry, ids) == 0
local isCertain = isNext and #notMine == 0
local entries, mine, elapsed, results = {}, {}, nil, nil
if acknowledged ~= '' then entries, elapsed, results = cmsgpack.unpack(acknowledged) end
if isCertain then mine = entries
elseif #entries > 0 then
  local is = call('SMISMEMBER', unacked, unpack(entries))
  for i = 1, #is do
    if is[i] == 1 then mine[#mine + 1] = entries[i] else notMine[#notMine + 1] = entries[i] end
  end
end
local removed = #mine > 0 and call('SREM', unacked, unpack(mine))
-- Fewer than there should be: what another consumer may hold is not deleted. Which were this consumer's cannot be told any more: it holds
-- all that have a frame again, sees that they are more than it knows, and handles them once more.
if isCertain and removed and removed < #mine then
  for _, entry in ipairs(mine) do
    if call('HEXISTS', messages, entry) == 1 then call('SADD', unacked, entry) end
  end
  notMine, mine = mine, {}
end
if kept and #mine > 0 then
  ${idFragments}
  ${keepCompleted}
  ${completedOver}
  ${trimCompleted}
  keepCompleted(mine, entries, elapsed, results, now)
  -- More than are added, so that a limit that was lowered is reached.
  trimCompleted(kept, now, math.min(1000, 2 * #mine + 10))
end
if #mine > 0 then
  if isPlain then call('HDEL', messages, unpack(mine))
  else
    ${endMessages}
    endMessages(mine, now, true)
  end
  addTo(state, 'acknowledged', #mine)
end
unknown = math.max(hasGoneBack and 1 or 0, call('SCARD', unacked) - known)`,
};
