import { DamagedStateError, shown, storedInteger } from '@millrace/core';
import { argNames, asList, asText, keyNames, type RedisClient, Script } from '@millrace/redis';
import type { Topic } from '../model/topic.js';
import { copiesKey, groupPartitionKey, type PartitionKeys, partitionKeys } from './keys.js';

/** The start, end and size of a partition's log. */
export interface PartitionState {
  /** Offset of the oldest record that can be read. */
  readonly start: number;
  /** Offset that the next record will get. */
  readonly end: number;
  /** Bytes of all batches, as stored. */
  readonly bytes: number;
}

// Prepares a partition for appends, or updates its topic's settings. Repeatable.
//
// KEYS
//   records    :records    of an older topic of the name: deleted
//   meta       :meta       id, version and limits: written
//   producers  :producers  of an older topic of the name: deleted
//   expired    :expired    of an older topic of the name: deleted
// ARGV     topicId
//          topicVersion
//          maxRecords    for the append script, or '': no limit
//          maxBytes      the same
//          timestamps    `append`, if the time of the append is its records' timestamp; else ''
// RETURNS  1 ready, 0 the topic of this id was deleted
// EFFECTS  see KEYS
const open = new Script(`#!lua
${keyNames('records', 'meta', 'producers', 'expired')}
${argNames('topicId', 'topicVersion', 'maxRecords', 'maxBytes', 'timestamps')}
local id, version, deleted = unpack(redis.call('HMGET', meta, 'id', 'version', 'deleted'))
id, version = tonumber(id or 0), tonumber(version or 0)
if id > tonumber(topicId) or (id == tonumber(topicId) and deleted) then return 0 end
if id < tonumber(topicId) then
  redis.call('UNLINK', records, meta, producers, expired)
  redis.call('HSET', meta, 'id', topicId, 'end', 0, 'start', 0, 'bytes', 0, 'time', 0)
  version = 0
end
if version < tonumber(topicVersion) then
  redis.call('HSET', meta, 'version', topicVersion)
  for field, setting in pairs({maxRecords = maxRecords, maxBytes = maxBytes, timestamps = timestamps}) do
    if setting == '' then redis.call('HDEL', meta, field) else redis.call('HSET', meta, field, setting) end
  end
end
return 1
`);

/** False when the topic was deleted meanwhile. */
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

const metaRemedy =
  'Set `end` to the number behind the dash of the last id in the stream (XREVRANGE … + - COUNT 1), `start` to that of the first record, and `bytes` to 0.';

/** Undefined when the partition does not exist. @throws {DamagedStateError} */
export async function partitionState(client: RedisClient, keys: PartitionKeys): Promise<PartitionState | undefined> {
  const [deleted, ...numbers] = await client.hmgetBuffer(keys.meta, 'deleted', 'start', 'end', 'bytes');
  if (deleted !== null || numbers.includes(null)) return undefined;
  const [start, end, bytes] = numbers.map((number) => storedInteger(String(number)));
  if (start !== undefined && end !== undefined && bytes !== undefined && start <= end) return { start, end, bytes };
  const problem = `start, end and bytes must be whole numbers, got ${numbers.map((number) => shown(String(number))).join(', ')}`;
  throw new DamagedStateError({ object: 'a partition', key: keys.meta, remedy: metaRemedy }, [problem]);
}

// Deletes a partition. A mark stays for a while, so that a late producer, declaration or copy
// does not create the partition again.
//
// KEYS
//   meta  :meta  becomes the mark
//         then all other keys of the partition: deleted
// ARGV     topicId
//          markMs  how long the mark stays
// RETURNS  1, or 0 when it belongs to a later topic
// EFFECTS  see KEYS
const remove = new Script(`#!lua flags=allow-oom
${keyNames('meta')}
${argNames('topicId', 'markMs')}
local id = redis.call('HGET', meta, 'id')
if id and tonumber(id) > tonumber(topicId) then return 0 end
redis.call('UNLINK', unpack(KEYS))
redis.call('HSET', meta, 'id', topicId, 'deleted', 1)
redis.call('PEXPIRE', meta, markMs)
return 1
`);

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
