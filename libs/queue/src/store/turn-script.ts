import { argNames, keyNames, Script } from '@millrace/redis';
import { turnKeys } from './consumer-keys.js';
import { addTo } from './counters.js';
import { composed } from './fragment.js';
import { claims, endings, fence } from './turn-settling.js';
import { choose, hold, look, take, takeOver } from './turn-taking.js';
import { answer, due, wake } from './turn-waking.js';

/** The names of a turn script's first arguments; the entries of claimed offers follow. */
export const turnArgs = [
  'me',
  'wanted',
  'wakeUp',
  'acknowledged',
  'maxBytes',
  'known',
  'leaseMs',
  'number',
  'numberBefore',
] as const;

/** The parts of a turn, in order. A queue with other waiting lists has its own `choose` and `take`. */
export const turnParts = [fence, look, claims, endings, choose, takeOver, take, hold, due, wake, answer];

// One turn of a consumer: acknowledges what was handled, takes what is next, and renews the lease. The hot path: rare cases
// are behind one EXISTS, and settle commands other than an acknowledgement go through `settle`, sent just before in the same
// round trip. Longer than other scripts on purpose: split in two it would cost every turn a second call.
//
// KEYS     those of `turnKeys`, then the lists of waiting messages, lowest priority first
//   settings   :settings      paused, single-active, max-per-second, max-bytes, keep-completed: read
//   state      :state         counters, tokens, keeper, recall: updated
//   consumers  :consumers     my lease: read, renewed
//   unacked    :unacked:<me>  acknowledged messages: removed, claimed and taken ones: added
//   offered    :offered       claimed offers: removed; of the only consumer, also those it takes over
//   messages   :messages      frames of taken messages: read, of acknowledged ones: removed
//   counts     :counts        of taken messages: read; of acknowledged ones: removed, as in the next five
//   handled    :handled       the same
//   progress   :progress
//   cancels    :cancels
//   expiry     :expiry        of taken messages: moved to `held`
//   held       :held
//   ids        :ids           of acknowledged messages: freed
//   seen       :seen          ids of acknowledged messages: added, for as long as the queue's setting
//   delayed    :delayed       when the first is due: read
//   idle       :idle          my id: added when I wait for a wake-up
//   wake       :wake          consumers that are woken: added
//   completed  :completed     acknowledged messages: added, if the queue keeps them
//   completedMessages  :completed-messages  the same
//              :ready, :front, :kept, :ready:<p> …   taken messages: removed
// ARGV     me            my id
//          wanted        how many messages are wanted
//          wakeUp        the consumer whose wake-up I got, or ''
//          acknowledged  entries, as a MessagePack list, or ''; after it, if the queue keeps completed messages, two lists: how many ms
//                        ago the handler of each began, and its result
//          maxBytes      most bytes to take, at least one message, or ''
//          known         how many messages I hold once these are acknowledged and claimed
//          leaseMs       my lease is renewed for this time
//          number        of this turn, 1 to 999
//          numberBefore  of the turn before it, or ''
//          then entries that were offered to me and that I claim
// RETURNS  { 'lost' } when my registration is gone: then nothing was done. Else { 'ok' | 'paused' | 'standby' | 'passed',
//          ms until there may be more for me (-1: I am woken), claimed and acknowledged entries that I do not hold, Redis' time in ms,
//          how many I hold beyond those that I know (at least 1 when Redis went back: I may hold others),
//          1 if I am the only consumer and 2 more if the queue keeps completed messages, number of the last offer taken over or 0,
//          two MessagePack lists: entries and frames, [counts, handled] when any of these is stored }
// EFFECTS  see each part
export const turnScript = new Script(`#!lua flags=allow-oom
local call = redis.call
${keyNames(...turnKeys)}
${argNames(...turnArgs)}
wanted, maxBytes = tonumber(wanted), tonumber(maxBytes)
${addTo}
${composed(turnParts)}
`);
