import { slotsOf } from '@millrace/queue';
import { type RedisConnection, reach } from '@millrace/redis';
import { withShardsSummed } from './model/queue-shards.js';
import type { PartitionSnapshot, Snapshot, TopicSnapshot, UnreadObject } from './model/snapshot.js';
import { type Catalog, readCatalog } from './store/catalog.js';
import { groupReading } from './store/group-reading.js';
import { partitionReading } from './store/partition-reading.js';
import { queueReading } from './store/queue-reading.js';
import { readMany } from './store/reading.js';

/**
 * Reads everything under a prefix: one command per partition, group and queue (and once two per partition for a group that was not seen
 * there before). Keys of different slots go to their nodes, so it works on a cluster as on one server.
 */
export class Overview {
  readonly #connection: RedisConnection;
  /** Topic → groups seen on it, so that the next read gets their leases in the same command. */
  readonly #groupsOf = new Map<string, readonly string[]>();

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  /**
   * Reads the current state of everything under the connection's prefix. Waits up to `connectTimeoutMs` for a Redis that is away.
   *
   * @throws {UnavailableError} Redis is away; or the error of Redis, when the list of objects cannot be read
   */
  read(): Promise<Snapshot> {
    const { prefix, connectTimeoutMs: timeoutMs } = this.#connection.options;
    return reach(this.#connection, { what: `read what is under the prefix "${prefix}"`, timeoutMs }, () =>
      this.#read(),
    );
  }

  async #read(): Promise<Snapshot> {
    const { commands, prefix } = this.#connection;
    const catalog = await readCatalog(commands, prefix);
    const unread: UnreadObject[] = [];
    const onFailure = (object: UnreadObject): void => void unread.push(object);
    const slots = catalog.queues.flatMap((settings) =>
      slotsOf(settings).map((slot, shard) => ({ slot, shard, settings })),
    );
    const [topics, read] = await Promise.all([
      this.#topics(catalog, onFailure),
      readMany(commands, queueReading(prefix), slots, onFailure),
    ]);
    this.#remember(topics);
    const queues = withShardsSummed(catalog.queues, read);
    const groups = await readMany(commands, groupReading(prefix), groupNames(catalog, topics), onFailure);
    return { topics, groups, queues, unread };
  }

  async #topics(catalog: Catalog, onFailure: (unread: UnreadObject) => void): Promise<TopicSnapshot[]> {
    const { commands, prefix } = this.#connection;
    const reading = partitionReading(prefix);
    const places = catalog.topics.flatMap(({ name, id, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => {
        return { topic: name, topicId: id, partition, knownGroups: this.#groupsOf.get(name) ?? [] };
      }),
    );
    const first = await readMany(commands, reading, places, onFailure);
    const isComplete = ({ groups }: PartitionSnapshot) => groups.every(({ isOwnerKnown }) => isOwnerKnown);
    const again = first
      .filter((found) => !isComplete(found))
      .map(({ groups, ...place }) => ({ ...place, knownGroups: groups.map(({ group }) => group) }));
    const second = await readMany(commands, reading, again, onFailure);
    const byTopic = new Map(catalog.topics.map(({ name }): [string, PartitionSnapshot[]] => [name, []]));
    for (const found of [...first.filter(isComplete), ...second]) byTopic.get(found.topic)?.push(found);
    return catalog.topics.map((topic) => ({ topic, partitions: sorted(byTopic.get(topic.name) ?? []) }));
  }

  #remember(topics: readonly TopicSnapshot[]): void {
    this.#groupsOf.clear();
    for (const { topic, partitions } of topics) {
      const names = new Set(partitions.flatMap(({ groups }) => groups.map(({ group }) => group)));
      this.#groupsOf.set(topic.name, [...names]);
    }
  }
}

/** Groups that ever had a member, and groups that only have an offset: a group can be created with XGROUP too. */
function groupNames(catalog: Catalog, topics: readonly TopicSnapshot[]): string[] {
  const names = new Set(catalog.groups);
  for (const { partitions } of topics) {
    for (const { groups } of partitions) for (const { group } of groups) names.add(group);
  }
  return [...names].sort();
}

function sorted(partitions: readonly PartitionSnapshot[]): PartitionSnapshot[] {
  return partitions.toSorted((a, b) => a.partition - b.partition);
}
