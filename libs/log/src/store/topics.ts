import { DamagedStateError, storedInteger } from '@millrace/core';
import { argNames, asInteger, asText, keyNames, orNothing, type RedisClient, Script } from '@millrace/redis';
import { readStoredTopic, type Topic, type TopicSettings } from '../model/topic.js';
import { partitionKeys, topicIdsKey, topicsKey } from './keys.js';
import { countOrZero } from './partition-bounds.js';

/** A topic's settings, or undefined when it is not declared. @throws {DamagedStateError} its stored settings are damaged */
export async function findTopic(client: RedisClient, prefix: string, name: string): Promise<Topic | undefined> {
  const key = topicsKey(prefix);
  return orNothing(await client.hgetBuffer(key, name), (reply) => readStoredTopic(asText(reply), key, name));
}

/** All declared topics, sorted by name. A damaged one does not hide the others: `onDamaged` gets it. */
export async function allTopics(
  client: RedisClient,
  prefix: string,
  onDamaged: (error: DamagedStateError) => void = () => undefined,
): Promise<Topic[]> {
  const key = topicsKey(prefix);
  const sound = ([name, json]: [string, Buffer]): Topic[] => {
    try {
      return [readStoredTopic(asText(json), key, name)];
    } catch (error) {
      if (!(error instanceof DamagedStateError)) throw error;
      onDamaged(error);
      return [];
    }
  };
  return Object.entries(await client.hgetallBuffer(key))
    .flatMap(sound)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

// Gives the next topic id: the time, or one more than the last one, so that none is given again after a failover that lost the last ones.
//
// KEYS
//   ids  {topology}:topic-ids  the last id: read, written
// ARGV     none
// RETURNS  the id
// EFFECTS  see KEYS. A last id that is no number, or more than an hour ahead, counts for nothing
const nextId = new Script(`#!lua
${keyNames('ids')}
${countOrZero}
local time = redis.call('TIME')
local now, last = time[1] * 1000 + math.floor(time[2] / 1000), countOrZero(redis.call('GET', ids))
if last > now + 3600000 then last = 0 end
local id = math.max(last + 1, now)
redis.call('SET', ids, string.format('%.0f', id))
return id
`);

async function nextTopicId(client: RedisClient, prefix: string): Promise<number> {
  return asInteger(await nextId.run(client, [topicIdsKey(prefix)], []));
}

/** Registers a topic unless it exists; resolves to the one that exists now, this one or another. */
export async function createTopic(client: RedisClient, prefix: string, settings: TopicSettings): Promise<Topic> {
  try {
    const found = await findTopic(client, prefix, settings.name);
    if (found !== undefined) return found;
  } catch (error) {
    if (!(error instanceof DamagedStateError)) throw error;
    await repairTopic(client, prefix, settings);
    return createTopic(client, prefix, settings);
  }
  const id = await nextTopicId(client, prefix);
  const topic: Topic = { id, version: 1, ...settings };
  const isOurs = (await client.hsetnx(topicsKey(prefix), topic.name, JSON.stringify(topic))) === 1;
  return isOurs ? topic : createTopic(client, prefix, settings);
}

// Replaces damaged settings.
//
// KEYS
//   topics  {topology}:topics  the new settings: written
// ARGV     name
//          damaged   the present value
//          settings  as JSON
// RETURNS  1 done, 0 the value has changed
// EFFECTS  see KEYS
const repair = new Script(`#!lua
${keyNames('topics')}
${argNames('name', 'damaged', 'settings')}
if redis.call('HGET', topics, name) ~= damaged then return 0 end
redis.call('HSET', topics, name, settings)
return 1
`);

/** Its records are kept: partitions identify the topic by its id. */
async function repairTopic(client: RedisClient, prefix: string, settings: TopicSettings): Promise<void> {
  const { name } = settings;
  const found = await client.hgetBuffer(topicsKey(prefix), name);
  if (found === null) return;
  const [id, version] = await client.hmget(partitionKeys(prefix, name, 0).meta, 'id', 'version');
  const topic: Topic = {
    id: storedInteger(id ?? '') || (await nextTopicId(client, prefix)),
    version: (storedInteger(version ?? '') ?? 0) + 1,
    ...settings,
  };
  await repair.run(client, [topicsKey(prefix)], [name, found, JSON.stringify(topic)]);
}

// Changes a topic, unless another process changed it meanwhile.
//
// KEYS
//   topics  {topology}:topics  the new settings: written, or the topic: removed
// ARGV     name
//          id
//          version   that is replaced
//          settings  as JSON, or '': remove the topic
// RETURNS  1 done, 0 it is another topic or version now
// EFFECTS  see KEYS
const replace = new Script(`#!lua
${keyNames('topics')}
${argNames('name', 'id', 'version', 'settings')}
local found = redis.call('HGET', topics, name)
if not found then return 0 end
local isRead, topic = pcall(cjson.decode, found)
if not isRead or type(topic) ~= 'table' then return 0 end
if topic.id ~= tonumber(id) or topic.version ~= tonumber(version) then return 0 end
if settings == '' then redis.call('HDEL', topics, name) else redis.call('HSET', topics, name, settings) end
return 1
`);

/** Writes new settings in place of `topic`; resolves to the changed topic, or undefined when another process was faster. */
export async function replaceTopic(
  client: RedisClient,
  prefix: string,
  topic: Topic,
  settings: TopicSettings,
): Promise<Topic | undefined> {
  const changed: Topic = { ...settings, name: topic.name, id: topic.id, version: topic.version + 1 };
  const args = [topic.name, topic.id, topic.version, JSON.stringify(changed)];
  return (await replace.run(client, [topicsKey(prefix)], args)) === 1 ? changed : undefined;
}

/** Removes a topic from the registry; false when another process changed it meanwhile. */
export async function unregisterTopic(client: RedisClient, prefix: string, topic: Topic): Promise<boolean> {
  return (await replace.run(client, [topicsKey(prefix)], [topic.name, topic.id, topic.version, ''])) === 1;
}
