import { frameTimestamp, type QueueSettings, queueKeys, readyKeys } from '@millrace/queue';
import { asBytes, asInteger, asList, lua, orNothing } from '@millrace/redis';
import type { QueueSnapshot } from '../model/snapshot.js';
import type { Reading } from './reading.js';

/*
 * How many messages a queue holds, where in it they stand, and how old the next ones are.
 * KEYS 1 meta  2 messages  3 delayed  4 consumers  5 dying  6 parked  7… ready lists
 * RETURNS nil when the queue does not exist, else { now in ms, messages, ready, delayed, dying, parked, consumers alive,
 *   bytes of Redis' memory or nil, 1 if paused, when the first delayed message is or was due or nil, heads of frames }
 * An id in ready without a frame is a ghost: 16 of them are passed over, so that the look stays short.
 */
const look = lua`#!lua flags=no-writes
local meta = redis.call('HMGET', KEYS[1], 'name', 'ghosts', 'paused')
if not meta[1] then return false end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ready, heads = -tonumber(meta[2] or 0), {}
for index = 7, #KEYS do
  ready = ready + redis.call('LLEN', KEYS[index])
  for _, id in ipairs(redis.call('LRANGE', KEYS[index], 0, 15)) do
    local frame = redis.call('HGET', KEYS[2], id)
    if frame then
      heads[#heads + 1] = string.sub(frame, 1, 16)
      break
    end
  end
end
local memory = redis.pcall('MEMORY', 'USAGE', KEYS[2])
if type(memory) == 'table' then memory = false end
local messages = redis.call('HLEN', KEYS[2])
if messages == 0 then memory = 0 end
local due = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2]
return {now, messages, ready, redis.call('ZCARD', KEYS[3]), redis.call('HLEN', KEYS[5]), redis.call('ZCARD', KEYS[6]),
  redis.call('ZCOUNT', KEYS[4], '(' .. string.format('%.0f', now), '+inf'), memory, meta[3] and 1 or 0,
  due and tonumber(due) or false, heads}
`;

/** One slot of a queue: the whole of it, unless it is sharded. */
export interface QueueSlot {
  readonly slot: string;
  /** Which of the queue's slots it is, from 0. */
  readonly shard: number;
  readonly settings: QueueSettings;
}

export function queueReading(prefix: string): Reading<QueueSlot, QueueSnapshot> {
  return {
    script: look,
    call: ({ slot, settings: { priorities } }) => {
      const keys = queueKeys(prefix, slot);
      const { meta, messages, delayed, consumers, dying, parked } = keys;
      return { keys: [meta, messages, delayed, consumers, dying, parked, ...readyKeys(keys, priorities)], args: [] };
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
  // A delayed message is as old as it is overdue: one that has its time still to come does not wait for a consumer.
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
    unacked: Math.max(0, messages - ready - delayed - dying - parked),
    consumers,
    bytes: orNothing(reply[7], asInteger),
    isPaused: asInteger(reply[8]) === 1,
    oldestAgeMs: isWaiting ? at - since : undefined,
  };
}
