import { completedKeys, completedOver, keepCompleted, trimCompleted } from './completed.js';
import { endingKeys, endMessages } from './endings.js';
import type { Fragment } from './fragment.js';
import { idFragments } from './identity.js';

// The first parts of a turn: whether the consumer has a right to it, and what it brings.

/**
 * Ends the turn when the consumer's registration is gone; else renews its lease. `isNext`: Redis carried out the turn before this one
 * last.
 *
 * The turn's number stands in the lease's deadline, as its thousandths of a ms. A turn that finds the number of the one before it
 * has what that one left. Else (that one was never carried out, or Redis went back to an older state) each message that is
 * acknowledged is looked for among the consumer's own. When Redis went back, no turn finds the number of the one before it until the
 * consumer has compared what it holds: what it took may be another's by now, and an acknowledgement of that must not stand among others.
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

/** Offers that are claimed become the consumer's. A wake-up that was for another consumer is given back: that one waits again. */
export const claims: Fragment = {
  reads: ['me', 'wakeUp', 'firstItem', 'state', 'unacked', 'offered', 'consumers', 'idle'],
  sets: ['notMine'],
  lua: `
notMine = {}
for i = firstItem, #ARGV do
  local entry = ARGV[i]
  if call('ZREM', offered, entry) == 1 then
    call('SADD', unacked, entry)
    call('HINCRBY', state, 'delivered', 1)
  elseif call('SISMEMBER', unacked, entry) == 0 then notMine[#notMine + 1] = entry end
end
if wakeUp ~= '' and wakeUp ~= me and call('ZSCORE', consumers, wakeUp) then call('ZADD', idle, 0, wakeUp) end`,
};

/**
 * Ends what was handled. If the queue keeps completed messages (`kept`), they are written first. `isPlain`: of no message anything but
 * its frame is kept. `unknown`: how many messages are the consumer's beyond those that it knows.
 */
export const endings: Fragment = {
  reads: [
    ...endingKeys,
    ...completedKeys,
    ...['acknowledged', 'known', 'now', 'isNext', 'hasGoneBack', 'notMine', 'kept', 'state', 'unacked'],
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
-- Fewer than there should be: what is perhaps another consumer's is not deleted.
if isCertain and removed and removed < #mine then notMine, mine = mine, {} end
if kept and #mine > 0 then
  ${idFragments}
  ${keepCompleted}
  ${completedOver}
  ${trimCompleted}
  keepCompleted(mine, entries, elapsed, results, now)
  -- More than come, so that a limit that was lowered is reached.
  trimCompleted(kept, now, math.min(1000, 2 * #mine + 10))
end
if #mine > 0 then
  if isPlain then call('HDEL', messages, unpack(mine))
  else
    ${endMessages}
    endMessages(mine, now, true)
  end
  call('HINCRBY', state, 'acknowledged', #mine)
end
unknown = math.max(hasGoneBack and 1 or 0, call('SCARD', unacked) - known)`,
};
