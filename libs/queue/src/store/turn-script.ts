import { argNames, keyNames, Script } from '@millrace/redis';
import { turnKeys } from './consumer-keys.js';
import { composed } from './fragment.js';
import { claims, endings, fence } from './turn-settling.js';
import { choose, hold, look, take, takeOver } from './turn-taking.js';
import { answer, due, wake } from './turn-waking.js';

/** What a turn's script calls its first arguments; the entries of offers that are claimed follow. */
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

/** The parts of a turn, in their order. A queue whose messages wait otherwise has its own `choose` and `take`. */
export const turnParts = [fence, look, claims, endings, choose, takeOver, take, hold, due, wake, answer];

// One turn of a consumer: acknowledges what was handled, takes what is next, and renews the lease. The hot path: what is rare
// stands behind one EXISTS, and verdicts other than an acknowledgement go through `settle`, sent just before in the same
// round trip. Longer than other scripts on purpose: cut in two it would cost every turn a second call.
//
// KEYS     those of `turnKeys`, then the lists in which messages wait, lowest priority first
//   settings   :settings      paused, single-active, max-per-second, max-bytes, keep-completed: read
//   state      :state         counters, tokens, keeper, recall: kept
//   consumers  :consumers     my lease: looked at, renewed
//   unacked    :unacked:<me>  what I acknowledge goes, what I claim and take comes
//   offered    :offered       what I claim goes; of the only consumer, what it takes over
//   messages   :messages      frames: those that I take are read, those that I acknowledge removed
//   counts     :counts        of what I take: read; of what I acknowledge: removed, as from the next five
//   handled    :handled       the same
//   progress   :progress
//   cancels    :cancels
//   expiry     :expiry        of what I take: moved to `held`
//   held       :held
//   ids        :ids           those of what I acknowledge: freed
//   seen       :seen          and remembered for as long as the queue says
//   delayed    :delayed       when the first is due: read
//   idle       :idle          whether I wait to be woken
//   wake       :wake          who is woken
//   completed  :completed     of what I acknowledge: kept, if the queue says so
//   completedMessages  :completed-messages  the same
//              :ready, :front, :kept, :ready:<p> …   what is taken goes
// ARGV     me            my id
//          wanted        how many messages are wanted
//          wakeUp        the consumer whose wake-up I was given, or ''
//          acknowledged  entries, as a MessagePack list, or ''; behind it, if the queue keeps completed messages, two lists: how many ms
//                        ago the handler of each began, and its result
//          maxBytes      most bytes to take, at least one message, or ''
//          known         how many I know to be mine once these are acknowledged and claimed
//          leaseMs       for so long my lease is renewed
//          number        of this turn, 1 to 999
//          numberBefore  of the turn before it, or ''
//          then entries that were offered to me and that I claim
// RETURNS  { 'lost' } when my registration is gone: then nothing was done. Else { 'ok' | 'paused' | 'standby' | 'passed',
//          ms until there may be more for me (-1: I am woken), claimed and acknowledged entries that are not mine, Redis' time in ms,
//          how many are mine beyond those that I know (at least 1 when Redis went back: mine may be others),
//          1 if I am the only consumer and 2 more if the queue keeps completed messages, number of the last offer taken over or 0,
//          two MessagePack lists: entries and frames, [counts, handled] when any of these is kept }
// EFFECTS  as each part says
export const turnScript = new Script(`#!lua flags=allow-oom
local call = redis.call
${keyNames(...turnKeys)}
${argNames(...turnArgs)}
wanted, maxBytes = tonumber(wanted), tonumber(maxBytes)
${composed(turnParts)}
`);
