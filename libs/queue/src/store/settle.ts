import { argNames, asList, asText, keyNames, type RedisClient, Script, type ScriptArgument } from '@millrace/redis';
import { lineOf } from '../model/line.js';
import type { ConsumerKeys } from './consumer-keys.js';
import { addTo } from './counters.js';
import { endingKeys, endMessages, followEnding, followKeys } from './endings.js';
import { settingOf } from './setting-values.js';
import { waitingLists } from './waiting.js';

const settleKeys = [...endingKeys, ...followKeys, 'unacked', 'consumers', 'delayed', 'parked'] as const;

// Carries out every settle command other than an acknowledgement, on messages that this consumer holds.
//
// KEYS     those of `settleKeys`, then the lists of waiting messages
//          those of `endingKeys`   of what is dropped: removed, see `endMessages`
//   settings   :settings      max-bytes, delivery-limit: read
//   state      :state         counters
//   ended      :ended         dead messages: added, with their lines in `followUps`
//   followUps  :follow-ups    see `follow`
//   consumers  :consumers     my lease: read
//   unacked    :unacked:<me>  settled messages: removed
//   counts     :counts        of returned and retried messages: incremented
//   handled    :handled       of retried messages: written
//   held       :held          expirations of returned and retried messages: moved to `expiry`
//   expiry     :expiry        written from `held`
//   delayed    :delayed       retried messages: added
//   parked     :parked        parked messages: added
//              :ready, :front, :kept, :ready:<p> …   returned messages: added
// ARGV     me  my id; then five per settle command: kind, entry, x, y, z
//            back | head  x priority; counted, and past the queue's delivery limit it becomes a dead letter instead
//            release      x priority; to its place, as if never taken
//            retry        x delay in ms, y what to add to counts, z JSON of handlers that are done, or ''
//            dead         x the line
//            drop | park
// RETURNS  { 'lost' } when my registration is gone: then nothing was done. Else entries that I do not hold
// EFFECTS  see KEYS; I no longer hold the settled messages
const settleScript = new Script(`#!lua flags=allow-oom
local call = redis.call
${keyNames(...settleKeys)}
${argNames('me')}
if not call('ZSCORE', consumers, me) then return {'lost'} end
${addTo}
${waitingLists}
${settingOf}
${endMessages}
${followEnding}
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limitBytes, deliveryLimit = unpack(call('HMGET', settings, 'max-bytes', 'delivery-limit'))
deliveryLimit = settingOf(deliveryLimit) or 20
local notMine = {}
local function settle(kind, entry, x, y, z)
  if call('SREM', unacked, entry) == 0 then notMine[#notMine + 1] = entry return end
  call('HDEL', progress, entry)
  call('HDEL', cancels, entry)
  local ends = call('ZSCORE', held, entry)
  if ends then
    call('ZREM', held, entry)
    if kind == 'back' or kind == 'head' or kind == 'release' or kind == 'retry' then call('ZADD', expiry, ends, entry) end
  end
  if kind == 'retry' then
    call('ZADD', delayed, now + x, entry)
    addTo(counts, entry, y)
    if z ~= '' then call('HSET', handled, entry, z) end
    addTo(state, 'retried', 1)
  elseif kind == 'dead' then follow(state, ended, followUps, entry, x)
  elseif kind == 'park' then call('ZADD', parked, now, entry)
  elseif kind == 'drop' then
    endMessages({entry}, now, false)
    addTo(state, 'dropped', 1)
  else
    local count = kind == 'release' and 0 or addTo(counts, entry, 1)
    if count % 65536 > deliveryLimit then
      call('ZREM', expiry, entry)
      local message = ('came back %d times without a settlement, the last time because its handler requeued it'):format(count % 65536)
      local error = {name = 'Requeue', stack = '', message = message}
      follow(state, ended, followUps, entry, 'dead-letter ' .. cjson.encode({reason = 'delivery_limit', time = now, error = error}))
      return
    end
    if kind == 'back' then putLast(tonumber(x), entry) else putFirst(tonumber(x), entry) end
    if limitBytes then addTo(state, 'bytes', call('HSTRLEN', messages, entry)) end
  end
end
for i = firstItem, #ARGV, 5 do settle(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]) end
return notMine
`);

/** The settle command on one message that a consumer holds, other than its acknowledgement. */
export type SettleCommand = { readonly id: string } & (
  | { readonly kind: 'back' | 'head' | 'release'; readonly priority: number }
  | { readonly kind: 'retry'; readonly delayMs: number; readonly increment: number; readonly handled: string }
  | { readonly kind: 'dead'; readonly why: string }
  | { readonly kind: 'drop' | 'park' }
);

/** Carries out settle commands; resolves to the ids that this consumer no longer held, or undefined when its registration is gone. */
export async function runSettleCommands(
  client: RedisClient,
  keys: ConsumerKeys,
  settleCommands: readonly SettleCommand[],
): Promise<readonly string[] | undefined> {
  const own = { ...keys.all, unacked: keys.unacked };
  const scriptKeys = [...settleKeys.map((name) => own[name]), ...keys.waiting];
  const args: ScriptArgument[] = [keys.consumer];
  for (const command of settleCommands) args.push(command.kind, command.id, ...details(command));
  const reply = asList(await settleScript.run(client, scriptKeys, args)).map(asText);
  return reply[0] === 'lost' ? undefined : reply;
}

function details(command: SettleCommand): [ScriptArgument, ScriptArgument, ScriptArgument] {
  switch (command.kind) {
    case 'back':
    case 'head':
    case 'release':
      return [command.priority, '', ''];
    case 'retry':
      return [command.delayMs, command.increment, command.handled];
    case 'dead':
      return [lineOf('dead-letter', command.why), '', ''];
    case 'drop':
    case 'park':
      return ['', '', ''];
    default:
      return command satisfies never;
  }
}
