import { groupPartitionKey, partitionKeys } from '@millrace/log';
import { argNames, asFields, asInteger, asList, asText, keyNames, orNothing, Script } from '@millrace/redis';
import type { GroupOffset, PartitionSnapshot } from '../model/snapshot.js';
import type { Reading } from './reading.js';

// The state of a partition, and of each group on it, in one consistent read.
//
// KEYS
//   meta     :meta     read
//   records  :records  read
//   expired  :expired  read
//            :group:<group> …   of the groups in ARGV: read
// ARGV     topicId  the partition must belong to this topic
//          then names of groups that are known to read this partition
// RETURNS  nil when the partition does not exist, or now belongs to another topic of the same name, else { now in ms, start, end, bytes, expired,
//          groups: { name, committed offset, { owner, until } or nil when it was not among ARGV, append time of the batch that
//          holds the next record to read or nil when the group has read everything }… }
// EFFECTS  none
const look = new Script(`#!lua flags=no-writes
${keyNames('meta', 'records', 'expired')}
${argNames('topicId')}
local start, finish, bytes, deleted, id = unpack(redis.call('HMGET', meta, 'start', 'end', 'bytes', 'deleted', 'id'))
if not start or not finish or deleted or id ~= topicId then return false end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
start, finish = tonumber(start), tonumber(finish)
local reply = {now, start, finish, tonumber(bytes or 0), redis.call('HGETALL', expired), {}}
local groups = redis.pcall('XINFO', 'GROUPS', records)
if groups.err then
  if redis.call('EXISTS', records) == 0 then return reply end
  return groups
end
local leases = {}
for index = firstItem, #ARGV do leases[ARGV[index]] = KEYS[firstList + index - firstItem] end
for _, group in ipairs(groups) do
  local fields = {}
  for index = 1, #group, 2 do fields[group[index]] = group[index + 1] end
  local name, committed = fields['name'], tonumber(string.match(fields['last-delivered-id'], '%d+$'))
  local next, lease, appended = math.max(committed, start), false, false
  if leases[name] then lease = redis.call('HMGET', leases[name], 'owner', 'until') end
  if next < finish then
    local entry = redis.call('XRANGE', records, string.format('(0-%.0f', next), '+', 'COUNT', 1)[1]
    appended = entry and tonumber(entry[2][10] or entry[2][4])
  end
  reply[6][#reply[6] + 1] = {name, committed, lease, appended}
end
return reply
`);

/** A partition to read. */
export interface PartitionPlace {
  readonly topic: string;
  readonly topicId: number;
  readonly partition: number;
  /** The groups whose leases to read; other leases are left out. */
  readonly knownGroups: readonly string[];
}

export function partitionReading(
  prefix: string,
): Reading<PartitionPlace, PartitionSnapshot & Pick<PartitionPlace, 'topic' | 'topicId'>> {
  return {
    script: look,
    call: ({ topic, topicId, partition, knownGroups }) => {
      const { meta, records, expired } = partitionKeys(prefix, topic, partition);
      const hashes = knownGroups.map((group) => groupPartitionKey(prefix, topic, partition, group));
      return { keys: [meta, records, expired, ...hashes], args: [topicId, ...knownGroups] };
    },
    read: (reply, { topic, topicId, partition }) => {
      const found = orNothing(reply, asList);
      if (found === undefined) return undefined;
      const [at = 0, start = 0, end = 0, bytes = 0] = found.slice(0, 4).map(asInteger);
      const lost = new Map([...asFields(found[4])].map(([group, count]) => [group, asInteger(count)]));
      const groups = asList(found[5]).map((group) => readGroup(asList(group), at));
      return { topic, topicId, partition, at, start, end, bytes, expiredUnread: lost, groups };
    },
    describe: ({ topic, partition }) => `partition ${partition} of ${topic}`,
  };
}

function readGroup([name, committed, lease, appended]: readonly unknown[], at: number): GroupOffset {
  const [owner, until] = orNothing(lease, asList) ?? [];
  return {
    group: asText(name),
    committed: asInteger(committed),
    owner: readOwner(orNothing(owner, asText), orNothing(until, asInteger), at),
    isOwnerKnown: lease !== null,
    nextTimestamp: orNothing(appended, asInteger),
  };
}

/** An expired lease has no owner, even if it was not removed. */
function readOwner(owner: string | undefined, until: number | undefined, at: number): string | undefined {
  return owner === undefined || owner === '' || until === undefined || until <= at ? undefined : owner;
}
