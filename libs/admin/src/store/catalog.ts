import { allTopics, groupsKey, type Topic } from '@millrace/log';
import { type QueueSettings, soundQueues, topologyKeys } from '@millrace/queue';
import { asText, type RedisClient } from '@millrace/redis';

/** Everything that is declared under a prefix, and all consumer groups that ever had a member. */
export interface Catalog {
  readonly topics: readonly Topic[];
  readonly groups: readonly string[];
  readonly queues: readonly QueueSettings[];
}

/** Costs three commands for any number of objects. */
export async function readCatalog(client: RedisClient, prefix: string): Promise<Catalog> {
  const keys = topologyKeys(prefix);
  const [topics, groups, queues] = await Promise.all([
    allTopics(client, prefix),
    client.smembersBuffer(groupsKey(prefix)),
    client.hvalsBuffer(keys.queues),
  ]);
  return {
    topics,
    groups: groups.map(asText).sort(),
    queues: soundQueues(keys, queues).sort(byName),
  };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
