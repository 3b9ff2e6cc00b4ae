import { frameTimestamp, maxHeadBytes, type QueueSettings, queueKeys, waitingKeys } from '@millrace/queue';
import { asBytes, asInteger, asList, keyNames, orNothing, Script } from '@millrace/redis';
import type { QueueSnapshot } from '../model/snapshot.js';
import type { Reading } from './reading.js';

const lookKeys = [
  'settings',
  'state',
  'messages',
  'delayed',
  'consumers',
  'ended',
  'parked',
  'offered',
  'completed',
] as const;

// How many messages a queue holds, in which states, and how old the next ones are.
//
// KEYS     those of `lookKeys`, all read, then the lists in which messages wait
// ARGV     none
// RETURNS  nil when the queue does not exist, else { now in ms, messages, ready, delayed, dying, parked, consumers alive,
//          bytes of Redis' memory or nil, 1 if paused, when the first delayed message is or was due or nil, heads of frames,
//          completed messages that are kept }
// EFFECTS  none
//
// An entry in a list without a frame is stale: up to 16 of them are skipped, so that the script stays short.
const look = new Script(`#!lua flags=no-writes
local call = redis.call
${keyNames(...lookKeys)}
local format, isPaused, kept = unpack(call('HMGET', settings, 'format', 'paused', 'keep-completed'))
if not format then return false end
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ready, heads = call('ZCARD', offered) - tonumber(call('HGET', state, 'stale') or 0), {}
for list = firstList, #KEYS do
  local length = call('LLEN', KEYS[list])
  ready = ready + length
  for _, entry in ipairs(length > 0 and call('LRANGE', KEYS[list], 0, 15) or {}) do
    local frame = call('HGET', messages, entry)
    if frame then
      heads[#heads + 1] = frame:sub(1, ${maxHeadBytes})
      break
    end
  end
end
local memory = redis.pcall('MEMORY', 'USAGE', messages)
if type(memory) == 'table' then memory = false end
local count = call('HLEN', messages)
if count == 0 then memory = 0 end
local due = call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]
return {now, count, ready, call('ZCARD', delayed), call('ZCARD', ended), call('ZCARD', parked),
  call('ZCOUNT', consumers, '(' .. string.format('%.0f', now), '+inf'), memory, isPaused and 1 or 0,
  due and tonumber(due) or false, heads, kept and call('ZCARD', completed) or 0}
`);

/** One slot of a queue: the whole queue, unless it is sharded. */
export interface QueueSlot {
  readonly slot: string;
  /** The number of the slot, from 0. */
  readonly shard: number;
  readonly settings: QueueSettings;
}

export function queueReading(prefix: string): Reading<QueueSlot, QueueSnapshot> {
  return {
    script: look,
    call: ({ slot, settings: { priorities } }) => {
      const keys = queueKeys(prefix, slot);
      const own = lookKeys.map((name) => keys[name]);
      return { keys: [...own, ...waitingKeys(keys, priorities)], args: [] };
    },
    read: (reply, { settings }) => orNothing(reply, (found) => readSnapshot(settings, asList(found))),
    describe: ({ settings, shard }) =>
      `queue ${settings.name}${settings.shards === undefined ? '' : `, shard ${shard}`}`,
  };
}

function readSnapshot(settings: QueueSettings, reply: readonly unknown[]): QueueSnapshot {
  const [at = 0, messages = 0, ready = 0, delayed = 0, dying = 0, parked = 0, consumers = 0] = reply
    .slice(0, 7)
    .map(asInteger);
  const due = orNothing(reply[9], asInteger);
  const oldest = asList(reply[10]).map((head) => frameTimestamp(asBytes(head)));
  // The age of a delayed message counts from when it is due: before that it does not wait for a consumer.
  const since = Math.min(at, ...oldest, ...(due === undefined ? [] : [due]));
  const isWaiting = oldest.length > 0 || (due !== undefined && due < at);
  return {
    queue: settings.name,
    settings,
    at,
    messages,
    ready,
    delayed,
    dying,
    parked,
    completed: asInteger(reply[11]),
    unacked: Math.max(0, messages - ready - delayed - dying - parked),
    consumers,
    bytes: orNothing(reply[7], asInteger),
    isPaused: asInteger(reply[8]) === 1,
    oldestAgeMs: isWaiting ? at - since : undefined,
  };
}
