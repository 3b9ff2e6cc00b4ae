import { asInteger, asList, asText, lua, orNothing, type RedisClient } from '@millrace/redis';
import type { Topic } from '../model/topic.js';
import { copiesKey, groupPartitionKey, type PartitionKeys, partitionKeys } from './keys.js';

/** Where a partition's log begins and ends, and how much it holds. */
export interface PartitionState {
  /** Offset of the oldest record that can be read. */
  readonly start: number;
  /** Offset that the next record will get. */
  readonly end: number;
  /** Bytes of all batches, as stored. */
  readonly bytes: number;
}

/*
 * Makes a partition ready for appends, or tells it that its topic's settings changed. Repeatable.
 * KEYS 1 records  2 meta  3 producers  4 expired
 * ARGV 1 topic id  2 topic version  3 maxRecords  4 maxBytes (for the append script; empty: not limited)  5 `append`, when
 *      that is the time of its records; else empty
 * RETURNS 1 ready, 0 the topic of this id was deleted
 * EFFECTS what an older topic of the same name left behind is removed
 */
const open = lua`#!lua
local meta = redis.call('HMGET', KEYS[2], 'id', 'version', 'deleted')
local id, version = tonumber(meta[1] or 0), tonumber(meta[2] or 0)
local ourId, ourVersion = tonumber(ARGV[1]), tonumber(ARGV[2])
if id > ourId or (id == ourId and meta[3]) then return 0 end
if id < ourId then
  redis.call('UNLINK', unpack(KEYS))
  redis.call('HSET', KEYS[2], 'id', ARGV[1], 'end', 0, 'start', 0, 'bytes', 0, 'time', 0)
  version = 0
end
if version < ourVersion then
  redis.call('HSET', KEYS[2], 'version', ARGV[2])
  for index, field in ipairs({'maxRecords', 'maxBytes', 'timestamps'}) do
    local setting = ARGV[2 + index]
    if setting == '' then redis.call('HDEL', KEYS[2], field) else redis.call('HSET', KEYS[2], field, setting) end
  end
end
return 1
`;

/** False when the topic was deleted in the meantime. */
export async function openPartition(
  client: RedisClient,
  prefix: string,
  topic: Topic,
  partition: number,
): Promise<boolean> {
  const { records, meta, producers, expired } = partitionKeys(prefix, topic.name, partition);
  const { maxRecords, maxBytes, unread } = topic.retention;
  const limits = unread === 'reject' ? [maxRecords ?? '', maxBytes ?? ''] : ['', ''];
  const timestamps = topic.timestamps === 'append' ? 'append' : '';
  const args = [topic.id, topic.version, ...limits, timestamps];
  return (await open.run(client, [records, meta, producers, expired], args)) === 1;
}

/** Undefined when the partition does not exist. */
export async function partitionState(client: RedisClient, keys: PartitionKeys): Promise<PartitionState | undefined> {
  const [deleted, ...numbers] = await client.hmgetBuffer(keys.meta, 'deleted', 'start', 'end', 'bytes');
  const [start, end, bytes] = numbers.map((number) => orNothing(number, asInteger));
  if (deleted !== null || start === undefined || end === undefined || bytes === undefined) return undefined;
  return { start, end, bytes };
}

/*
 * Removes a partition. What stays for a while is a mark, so that a producer or a declaration that is late
 * does not bring the partition back, nor one that copies a record into it.
 * KEYS 1 meta  2… everything else of the partition
 * ARGV 1 topic id  2 how long the mark stays, in ms
 */
const remove = lua`#!lua flags=allow-oom
local id = redis.call('HGET', KEYS[1], 'id')
if id and tonumber(id) > tonumber(ARGV[1]) then return 0 end
redis.call('UNLINK', unpack(KEYS))
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'deleted', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`;

const deletedMarkMs = 3_600_000;

export async function removePartition(
  client: RedisClient,
  prefix: string,
  topic: Topic,
  partition: number,
): Promise<void> {
  const { meta, records, producers, expired, upkeep, sources } = partitionKeys(prefix, topic.name, partition);
  const groups = await groupsOfPartition(client, records);
  const groupKeys = groups.map(({ group }) => groupPartitionKey(prefix, topic.name, partition, group));
  await remove.run(client, [meta, records, producers, expired, upkeep, ...groupKeys], [topic.id, deletedMarkMs]);
  const copied = asList(await client.callBuffer('SMEMBERS', sources)).map(asText);
  await client.unlink(sources, ...copied.map((source) => copiesKey(prefix, topic.name, partition, source)));
}

/** The groups that are registered on a partition, with the next offset that each will read. */
export async function groupsOfPartition(
  client: RedisClient,
  records: string,
): Promise<{ readonly group: string; readonly committed: number }[]> {
  const groups = await client.callBuffer('XINFO', 'GROUPS', records).catch((error: unknown) => {
    if (error instanceof Error && error.message.includes('no such key')) return [];
    throw error;
  });
  return asList(groups).map((reply) => {
    const fields = asList(reply).map((part) => (part instanceof Buffer ? asText(part) : part));
    const id = asText(fields[fields.indexOf('last-delivered-id') + 1]);
    return { group: asText(fields[fields.indexOf('name') + 1]), committed: Number(id.slice(id.indexOf('-') + 1)) };
  });
}
