import { argNames, asInteger, keyNames, type RedisClient, Script } from '@millrace/redis';
import type { PartitionKeys } from './keys.js';
import { countOrZero } from './partition-bounds.js';
import { groupsOf } from './stream-groups.js';

/** How many entries one call copies: a frame may have 256 KiB. */
const entriesPerCall = 16;
/** How long what a process that died has copied is kept, for the next one. */
const keptMs = 600_000;

// Copies the next entries of a partition's stream, up to the log's end, into another key, which takes the stream's place when it is complete:
// newer servers (Valkey 9.1) set no last id back behind an id that was deleted. Appends are blocked meanwhile, so any
// number of processes may call this: each continues where the copy ends.
//
// KEYS
//   records  :records  read; replaced at the end
//   meta     :meta     `start` and `end`: read
//   rebuilt  :rebuilt  the entries, then the groups: written; renamed at the end
// ARGV     most    entries
//          keptMs  time to live of the copy
// RETURNS  1 done, 0 there are more: call again
// EFFECTS  see KEYS
const rebuild = new Script(`#!lua
${keyNames('records', 'meta', 'rebuilt')}
${argNames('most', 'keptMs')}
${countOrZero}
${groupsOf}
local start, finish = unpack(redis.call('HMGET', meta, 'start', 'end'))
if not finish or redis.call('EXISTS', records) == 0 then return 1 end
local last = string.format('0-%.0f', countOrZero(finish))
local known = redis.call('XREVRANGE', rebuilt, '+', '-', 'COUNT', 1)[1]
-- What the stream does not have is no copy of it, or retention has removed it since.
if known and not redis.call('XRANGE', records, known[1], known[1])[1] then
  redis.call('DEL', rebuilt)
  known = nil
end
local entries = redis.call('XRANGE', records, known and '(' .. known[1] or '-', last, 'COUNT', most)
for _, entry in ipairs(entries) do redis.call('XADD', rebuilt, entry[1], unpack(entry[2])) end
if #entries == tonumber(most) then
  redis.call('PEXPIRE', rebuilt, keptMs)
  return 0
end
if redis.call('EXISTS', rebuilt) == 0 then
  redis.call('XADD', rebuilt, '0-1', 'b', '')
  redis.call('XTRIM', rebuilt, 'MAXLEN', 0)
end
-- Retention may have removed some since they were copied.
redis.call('XTRIM', rebuilt, 'MINID', '=', string.format('0-%.0f', countOrZero(start) + 1))
if redis.call('XLEN', rebuilt) ~= redis.call('XLEN', records) then
  redis.call('DEL', rebuilt)
  return 0
end
redis.call('XSETID', rebuilt, last)
for _, group in ipairs(groupsOf(records)) do redis.call('XGROUP', 'CREATE', rebuilt, group.name, '0-' .. group.committed) end
redis.call('PERSIST', rebuilt)
redis.call('RENAME', rebuilt, records)
return 1
`);

/** Makes the stream of a partition again, without what stood past the log's end, and with the log's end as its last id. */
export async function rebuildStream(client: RedisClient, { records, meta, rebuilt }: PartitionKeys): Promise<void> {
  while (asInteger(await rebuild.run(client, [records, meta, rebuilt], [entriesPerCall, keptMs])) === 0);
}
