import { argNames, asText, keyNames, orNothing, type RedisClient, Script } from '@millrace/redis';
import type { Topic, TopicSettings } from '../model/topic.js';
import { topicIdsKey, topicsKey } from './keys.js';

/** A topic's settings, or undefined when it is not declared. */
export async function findTopic(client: RedisClient, prefix: string, name: string): Promise<Topic | undefined> {
  return orNothing(await client.hgetBuffer(topicsKey(prefix), name), parseTopic);
}

/** All topics that are declared, by name. */
export async function allTopics(client: RedisClient, prefix: string): Promise<Topic[]> {
  const settings = await client.hvalsBuffer(topicsKey(prefix));
  return settings.flatMap(readableTopic).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Registers a topic unless it is there already; answers the one that is there now, ours or another's. */
export async function createTopic(client: RedisClient, prefix: string, settings: TopicSettings): Promise<Topic> {
  const found = await findTopic(client, prefix, settings.name);
  if (found !== undefined) return found;
  const id = await client.incr(topicIdsKey(prefix));
  const topic: Topic = { id, version: 1, ...settings };
  const isOurs = (await client.hsetnx(topicsKey(prefix), topic.name, JSON.stringify(topic))) === 1;
  return isOurs ? topic : createTopic(client, prefix, settings);
}

// Changes a topic, unless another process changed it in between.
//
// KEYS
//   topics  {topology}:topics  the new settings come, or the topic goes
// ARGV     name
//          id
//          version   that is replaced
//          settings  as JSON, or '': remove the topic
// RETURNS  1 done, 0 it is another topic or version by now
// EFFECTS  as said of the key
const replace = new Script(`#!lua
${keyNames('topics')}
${argNames('name', 'id', 'version', 'settings')}
local found = redis.call('HGET', topics, name)
if not found then return 0 end
local topic = cjson.decode(found)
if topic.id ~= tonumber(id) or topic.version ~= tonumber(version) then return 0 end
if settings == '' then redis.call('HDEL', topics, name) else redis.call('HSET', topics, name, settings) end
return 1
`);

/** Puts new settings in the place of `topic`; answers the changed topic, or undefined when somebody was faster. */
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

/** Takes a topic out of the register; false when somebody changed it in between. */
export async function unregisterTopic(client: RedisClient, prefix: string, topic: Topic): Promise<boolean> {
  return (await replace.run(client, [topicsKey(prefix)], [topic.name, topic.id, topic.version, ''])) === 1;
}

/** What somebody wrote beside our settings, and is none, hides no other topic. */
function readableTopic(reply: Buffer): Topic[] {
  try {
    const topic = parseTopic(reply);
    return typeof topic?.name === 'string' && Number.isSafeInteger(topic.partitions) ? [topic] : [];
  } catch {
    return [];
  }
}

/** What an older version declared has no `timestamps`. */
function parseTopic(reply: unknown): Topic {
  return { timestamps: 'create', ...JSON.parse(asText(reply)) };
}
