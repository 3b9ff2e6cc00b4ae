import { DamagedStateError, shown, storedInteger } from '@millrace/core';
import { argNames, asInteger, asList, asText, keyNames, type RedisClient, Script } from '@millrace/redis';
import type { Topic } from '../model/topic.js';
import { copiesKey, groupPartitionKey, type PartitionKeys, partitionKeys } from './keys.js';
import { countIn } from './log-entry.js';
import { boundsDamage, countOrZero } from './partition-bounds.js';

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
// RETURNS  1 ready, 0 the topic of this id was deleted, 2 the id, or where the log begins and ends, is damaged: nothing was done
// EFFECTS  see KEYS
const open = new Script(`#!lua
${keyNames('records', 'meta', 'producers', 'expired')}
${argNames('topicId', 'topicVersion', 'maxRecords', 'maxBytes', 'timestamps')}
${boundsDamage}
${countOrZero}
local id, version, deleted, start, finish, bytes, time = unpack(redis.call('HMGET', meta,
  'id', 'version', 'deleted', 'start', 'end', 'bytes', 'time'))
if id and (countOrZero(id) == 0 or not deleted and boundsDamage(start, finish, bytes, time)) then return 2 end
id, version = countOrZero(id), countOrZero(version)
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

/** False when the topic was deleted meanwhile. @throws {DamagedStateError} its id, or where its log begins and ends, is damaged */
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
  const reply = asInteger(await open.run(client, [records, meta, producers, expired], args));
  if (reply === 2) throw damagedBounds(meta, ['id, start, end, bytes or time is no whole number']);
  return reply === 1;
}

// Works out from the stream what a partition's damaged `meta` has to say. Where it is sound again, nothing is done.
//
// KEYS
//   records  :records  its first and last entry: read
//   meta     :meta     id, start, end, bytes and time: written
// ARGV     topicId
// RETURNS  1
// EFFECTS  see KEYS. No record is removed. `bytes` is estimated: the number of batches times the size of the first one
const repair = new Script(`#!lua
${keyNames('records', 'meta')}
${argNames('topicId')}
${boundsDamage}
${countOrZero}
${countIn}
local id, start, finish, bytes, time = unpack(redis.call('HMGET', meta, 'id', 'start', 'end', 'bytes', 'time'))
if countOrZero(id) > 0 and not boundsDamage(start, finish, bytes, time) then return 1 end
local info, stream = {}, redis.call('EXISTS', records) == 1 and redis.call('XINFO', 'STREAM', records) or {}
for index = 1, #stream, 2 do info[stream[index]] = stream[index + 1] end
local function endOf(entryId) return tonumber(string.match(entryId or '', '^0%-(%d+)$')) end
local first, last = info['first-entry'] or {}, info['last-entry'] or {}
local behind = endOf(last[1]) or endOf(info['last-generated-id']) or 0
local frame = first[2] and first[2][2] or ''
local from = endOf(first[1]) and math.max(0, endOf(first[1]) - countIn(frame)) or behind
if tonumber(finish) == behind and tonumber(start) == countOrZero(start) and countOrZero(start) <= behind then from = countOrZero(start) end
redis.call('HSET', meta, 'id', countOrZero(id) > 0 and id or topicId, 'start', string.format('%.0f', from), 'end', string.format('%.0f', behind),
  'bytes', (info['length'] or 0) * #frame, 'time', string.format('%.0f', countOrZero(last[2] and last[2][4])))
return 1
`);

async function repairPartition(client: RedisClient, prefix: string, topic: Topic, partition: number): Promise<void> {
  const { records, meta } = partitionKeys(prefix, topic.name, partition);
  await repair.run(client, [records, meta], [topic.id]);
}

/** Like `openPartition`; a damaged partition is repaired from its records first. Needs more rights. */
export async function openOrRepairPartition(
  client: RedisClient,
  prefix: string,
  topic: Topic,
  partition: number,
): Promise<boolean> {
  try {
    return await openPartition(client, prefix, topic, partition);
  } catch (error) {
    if (!(error instanceof DamagedStateError)) throw error;
    await repairPartition(client, prefix, topic, partition);
    return openPartition(client, prefix, topic, partition);
  }
}

const metaRemedy =
  'Declare the topic again, which works out from its records where it begins and ends: declareTopic({ name: … }).';

/** Undefined when the partition does not exist. @throws {DamagedStateError} */
export async function partitionState(client: RedisClient, keys: PartitionKeys): Promise<PartitionState | undefined> {
  const [deleted, ...numbers] = await client.hmgetBuffer(keys.meta, 'deleted', 'start', 'end', 'bytes');
  if (deleted !== null || numbers.includes(null)) return undefined;
  const [start, end, bytes] = numbers.map((number) => storedInteger(String(number)));
  if (start !== undefined && end !== undefined && bytes !== undefined && start <= end) return { start, end, bytes };
  const problem = `start, end and bytes must be whole numbers, got ${numbers.map((number) => shown(String(number))).join(', ')}`;
  throw damagedBounds(keys.meta, [problem]);
}

function damagedBounds(key: string, problems: readonly string[]): DamagedStateError {
  return new DamagedStateError({ object: 'a partition', key, remedy: metaRemedy }, problems);
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
  const { meta, records, producers, expired, upkeep, sources, rebuilt } = partitionKeys(prefix, topic.name, partition);
  const groups = await groupsOfPartition(client, records);
  const groupKeys = groups.map(({ group }) => groupPartitionKey(prefix, topic.name, partition, group));
  await remove.run(
    client,
    [meta, records, producers, expired, upkeep, rebuilt, ...groupKeys],
    [topic.id, deletedMarkMs],
  );
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
