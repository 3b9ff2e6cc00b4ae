import { groupPartitionKey, partitionKeys } from '@millrace/log';
import { asFields, asInteger, asList, asText, lua, orNothing } from '@millrace/redis';
import type { GroupOffset, PartitionSnapshot } from '../model/snapshot.js';
import type { Reading } from './reading.js';

/*
 * Where a partition stands, and each group on it, in one consistent look.
 * KEYS 1 meta  2 records  3 expired  4… the hashes of the groups in ARGV
 * ARGV 1 topic id  2… names of groups that are known to read this partition
 * RETURNS nil when the partition does not exist, or belongs to another topic of the name by now, else { now in ms, start, end, bytes, expired,
 *   groups: { name, committed offset, { owner, until } or nil when it was not among ARGV, append time of the batch that
 *   holds the next record to read or nil when the group has read everything }… }
 */
const look = lua`#!lua flags=no-writes
local meta = redis.call('HMGET', KEYS[1], 'start', 'end', 'bytes', 'deleted', 'id')
if not meta[1] or not meta[2] or meta[4] or meta[5] ~= ARGV[1] then return false end
local time = redis.call('TIME')
local now, start, finish = time[1] * 1000 + math.floor(time[2] / 1000), tonumber(meta[1]), tonumber(meta[2])
local reply = {now, start, finish, tonumber(meta[3] or 0), redis.call('HGETALL', KEYS[3]), {}}
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[2])
if groups.err then
  if redis.call('EXISTS', KEYS[2]) == 0 then return reply end
  return groups
end
local hashes = {}
for index = 2, #ARGV do hashes[ARGV[index]] = KEYS[2 + index] end
for _, group in ipairs(groups) do
  local fields = {}
  for index = 1, #group, 2 do fields[group[index]] = group[index + 1] end
  local name, committed = fields['name'], tonumber(string.match(fields['last-delivered-id'], '%d+$'))
  local next, lease, appended = math.max(committed, start), false, false
  if hashes[name] then lease = redis.call('HMGET', hashes[name], 'owner', 'until') end
  if next < finish then
    local entry = redis.call('XRANGE', KEYS[2], string.format('(0-%.0f', next), '+', 'COUNT', 1)[1]
    appended = entry and tonumber(entry[2][10] or entry[2][4])
  end
  reply[6][#reply[6] + 1] = {name, committed, lease, appended}
end
return reply
`;

/** A partition that is to be read. */
export interface PartitionPlace {
  readonly topic: string;
  readonly topicId: number;
  readonly partition: number;
  /** Whose leases are wanted; others' are left out. */
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

/** A lease that ran out has no owner, though it was not cleared away. */
function readOwner(owner: string | undefined, until: number | undefined, at: number): string | undefined {
  return owner === undefined || owner === '' || until === undefined || until <= at ? undefined : owner;
}
