import { asList, asText, lua, type RedisClient, type ScriptArgument } from '@millrace/redis';
import type { ConsumerKeys } from './consumer-keys.js';

// Carries out every verdict that is more than an acknowledgement, on messages that this consumer holds.
//
// KEYS 1 messages 2 unacked:<me> 3 consumers 4 meta 5 delayed 6 expiry 7 held 8 counts 9 progress 10 cancels 11 handled
//      12 dying 13 parked 14… ready, lowest priority first
// ARGV 1 my id, then five for each verdict: kind, id, x, y, z
//      back | head: x priority; counted, and past the queue's delivery limit it dies instead
//      release: x priority; to the head, as if never taken
//      retry: x delay in ms, y what to add to counts, z JSON of handlers that are through, or ''
//      dead: x why, as JSON     drop     park
// RETURNS { 'lost' } when my registration is gone: then nothing was done. Else ids that were not mine
const settleScript = lua`#!lua flags=allow-oom
local call = redis.call
if not call('ZSCORE', KEYS[3], ARGV[1]) then return {'lost'} end
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local countsBytes = call('HEXISTS', KEYS[4], 'max-bytes') == 1
local notMine = {}
local function giveBack(push, id, priority)
  call(push, KEYS[14 + math.min(priority, #KEYS - 14)], id)
  if countsBytes then call('HINCRBY', KEYS[4], 'bytes', call('HSTRLEN', KEYS[1], id)) end
end
local function settle(kind, id, x, y, z)
  if call('SREM', KEYS[2], id) == 0 then notMine[#notMine + 1] = id return end
  call('HDEL', KEYS[9], id)
  call('HDEL', KEYS[10], id)
  local ends = call('ZSCORE', KEYS[7], id)
  if ends then
    call('ZREM', KEYS[7], id)
    if kind == 'back' or kind == 'head' or kind == 'release' or kind == 'retry' then call('ZADD', KEYS[6], ends, id) end
  end
  if kind == 'retry' then
    call('ZADD', KEYS[5], now + x, id)
    call('HINCRBY', KEYS[8], id, y)
    if z ~= '' then call('HSET', KEYS[11], id, z) end
    call('HINCRBY', KEYS[4], 'retried', 1)
  elseif kind == 'dead' then call('HSET', KEYS[12], id, x)
  elseif kind == 'park' then call('ZADD', KEYS[13], now, id)
  elseif kind == 'drop' then
    for _, key in ipairs({KEYS[1], KEYS[8], KEYS[11]}) do call('HDEL', key, id) end
    call('HINCRBY', KEYS[4], 'dropped', 1)
  else
    local count = kind == 'release' and 0 or call('HINCRBY', KEYS[8], id, 1)
    if count % 65536 > tonumber(call('HGET', KEYS[4], 'delivery-limit') or 20) then
      call('ZREM', KEYS[6], id)
      local message = ('came back %d times without a verdict, the last time because its handler requeued it'):format(count % 65536)
      local error = {name = 'Requeue', stack = '', message = message}
      call('HSET', KEYS[12], id, cjson.encode({reason = 'delivery_limit', time = now, error = error}))
      return
    end
    giveBack(kind == 'back' and 'RPUSH' or 'LPUSH', id, tonumber(x))
  end
end
for i = 2, #ARGV, 5 do settle(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]) end
return notMine
`;

/** What is to happen to one message that a consumer holds, other than its acknowledgement. */
export type Verdict = { readonly id: string } & (
  | { readonly kind: 'back' | 'head' | 'release'; readonly priority: number }
  | { readonly kind: 'retry'; readonly delayMs: number; readonly increment: number; readonly handled: string }
  | { readonly kind: 'dead'; readonly why: string }
  | { readonly kind: 'drop' | 'park' }
);

/** Carries out verdicts; resolves to the ids that were no longer this consumer's, or undefined when its registration is gone. */
export async function settleVerdicts(
  client: RedisClient,
  keys: ConsumerKeys,
  verdicts: readonly Verdict[],
): Promise<readonly string[] | undefined> {
  const all = keys.all;
  const scriptKeys = [all.messages, keys.unacked, all.consumers, all.meta, all.delayed, all.expiry, all.held];
  scriptKeys.push(all.counts, all.progress, all.cancels, all.handled, all.dying, all.parked, ...keys.ready);
  const args: ScriptArgument[] = [keys.consumer];
  for (const verdict of verdicts) args.push(verdict.kind, verdict.id, ...details(verdict));
  const reply = asList(await settleScript.run(client, scriptKeys, args)).map(asText);
  return reply[0] === 'lost' ? undefined : reply;
}

function details(verdict: Verdict): [ScriptArgument, ScriptArgument, ScriptArgument] {
  switch (verdict.kind) {
    case 'back':
    case 'head':
    case 'release':
      return [verdict.priority, '', ''];
    case 'retry':
      return [verdict.delayMs, verdict.increment, verdict.handled];
    case 'dead':
      return [verdict.why, '', ''];
    case 'drop':
    case 'park':
      return ['', '', ''];
    default:
      return verdict satisfies never;
  }
}
