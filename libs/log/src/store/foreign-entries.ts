import { argNames, asInteger, asList, asText, keyNames, type RedisClient, Script } from '@millrace/redis';
import type { ChainLook } from '../model/entry-chain.js';
import type { PartitionKeys } from './keys.js';
import { countIn } from './log-entry.js';
import { rebuildStream } from './stream-rebuild.js';

/** How many entries are searched for the one that follows: a frame may have a megabyte, and Lua copies it. */
const mostLooked = 8;

// Reads what is around an offset, for a reader that met an entry which does not follow what it read.
//
// KEYS
//   records  :records  read
//   meta     :meta     `end` and `start`: read
// ARGV     offset
//          nonce   of the append that ended there, as the reader knows it, or '': taken from the entry
//          behind  end of the entry after which to search for the one that follows
//          most    entries to search
// RETURNS  { start, end, end of the first entry (-1: none), 1 if an entry ends at the offset, its nonce or '',
//          end of the entry that follows it (-1: not found), end of the last one searched (-1: there are no more), and if there is no
//          nonce: end of the next entry that has one (-1: not found), number of records in its frame }
// EFFECTS  none
const lookAround = new Script(`#!lua flags=no-writes
${keyNames('records', 'meta')}
${argNames('offset', 'nonce', 'behind', 'most')}
${countIn}
local finish, start = unpack(redis.call('HMGET', meta, 'end', 'start'))
finish, start = tonumber(finish) or 0, tonumber(start) or 0
local function numbered(value) return string.format('%.0f', value) end
local function endOf(entry) return entry and tonumber(string.match(entry[1], '^0%-(%d+)$')) or -1 end
local first = redis.call('XRANGE', records, '-', '+', 'COUNT', 1)[1]
local before = redis.call('XRANGE', records, '0-' .. offset, '0-' .. offset)[1]
local found = before and before[2][6] or ''
local expected = nonce ~= '' and nonce or found
local following, looked, marked, count = -1, -1, -1, 0
if tonumber(behind) < finish then
  local entries = redis.call('XRANGE', records, '(0-' .. behind, '0-' .. numbered(finish), 'COUNT', most)
  for _, entry in ipairs(entries) do
    if expected ~= '' and entry[2][8] == expected then following = endOf(entry) break end
    if expected == '' and entry[2][8] then marked, count = endOf(entry), countIn(entry[2][2]) break end
  end
  if following < 0 and marked < 0 and #entries == tonumber(most) then looked = endOf(entries[#entries]) end
end
return {start, finish, endOf(first), before and 1 or 0, found, following, looked, marked, count}
`);

/** What Redis has around an offset. `nonce`: of the append that ended there, if the reader knows it. */
export async function lookAtChain(
  client: RedisClient,
  { records, meta }: PartitionKeys,
  { position, nonce = '' }: { readonly position: number; readonly nonce?: string | undefined },
): Promise<ChainLook> {
  for (let behind = position; ; ) {
    const reply = asList(await lookAround.run(client, [records, meta], [position, nonce, behind, mostLooked]));
    const [start = 0, end = 0, first = -1, isThere = 0] = reply.slice(0, 4).map(asInteger);
    const [next = -1, looked = -1, marked = -1, count = 0] = reply.slice(5).map(asInteger);
    const found = asText(reply[4]);
    const before = isThere === 1 ? { nonce: found === '' ? undefined : found } : undefined;
    if (next >= 0 || marked >= 0 || looked <= behind) {
      return {
        start,
        end,
        first: first < 0 ? undefined : first,
        before,
        next: next < 0 ? undefined : next,
        marked: marked < 0 ? undefined : { first: marked - count, end: marked },
      };
    }
    behind = looked;
  }
}

const mostRemoved = 100;

// Removes entries that no append has written: an append writes its entry and the log's end together, so no entry of the log is
// past its end.
//
// KEYS
//   records  :records  entries past the end are removed; the stream's last id is set back, or no append would be possible
//   meta     :meta     `end`: read
// ARGV     most  entries
// RETURNS  { the number removed, 1 if the last id could not be set back, else 0 }
// EFFECTS  see KEYS
const remove = new Script(`#!lua flags=allow-oom
${keyNames('records', 'meta')}
${argNames('most')}
local finish = tonumber(redis.call('HGET', meta, 'end'))
if not finish or redis.call('EXISTS', records) == 0 then return {0, 0} end
local last = string.format('0-%.0f', finish)
local entries = redis.call('XRANGE', records, '(' .. last, '+', 'COUNT', most)
for _, entry in ipairs(entries) do redis.call('XDEL', records, entry[1]) end
if #entries == tonumber(most) then return {#entries, 0} end
local set = redis.pcall('XSETID', records, last)
return {#entries, set.err and 1 or 0}
`);

/** Removes the entries past the end of a partition's log; resolves to their number. */
export async function removeForeignEntries(client: RedisClient, keys: PartitionKeys): Promise<number> {
  for (let removed = 0; ; ) {
    const reply = asList(await remove.run(client, [keys.records, keys.meta], [mostRemoved]));
    const [slice = 0, isBlocked = 0] = reply.map(asInteger);
    removed += slice;
    if (isBlocked === 1) await rebuildStream(client, keys);
    if (slice < mostRemoved) return removed;
  }
}
