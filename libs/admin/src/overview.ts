import type { Topic } from '@millrace/log';
import type { RedisConnection } from '@millrace/redis';
import { Lane } from './lane.js';
import type { PartitionSnapshot, Snapshot, TopicSnapshot } from './model/snapshot.js';
import { type Catalog, readCatalog } from './store/catalog.js';
import { readGroup } from './store/group-reading.js';
import { readPartition } from './store/partition-reading.js';
import { readQueue } from './store/queue-reading.js';

/** Commands under way at once: enough to keep the pipe full, few enough that a reply is never late for the queue before it. */
const maxCommandsInFlight = 512;

/**
 * Reads everything under a prefix: one command a partition, a group and a queue (and once two a partition for a group that
 * was not seen there before). Keys of different slots go to their nodes, so it works on a cluster as on one server.
 */
export class Overview {
  readonly #connection: RedisConnection;
  /** Topic → groups seen on it, so that the next look fetches their leases in the same command. */
  readonly #groupsOf = new Map<string, readonly string[]>();

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  /** @throws what Redis or the connection says, when the list of what there is cannot be read */
  async read(): Promise<Snapshot> {
    const { commands, prefix } = this.#connection;
    const catalog = await readCatalog(commands, prefix);
    const unread: string[] = [];
    const lane = new Lane(maxCommandsInFlight, (what) => unread.push(what));
    const [topics, queues] = await Promise.all([
      Promise.all(catalog.topics.map((topic) => this.#topic(topic, lane))),
      lane.all(
        catalog.queues,
        (queue) => readQueue(commands, prefix, queue),
        ({ name }) => `queue ${name}`,
      ),
    ]);
    this.#remember(topics);
    const names = groupNames(catalog, topics);
    const groups = await lane.all(
      names,
      (group) => readGroup(commands, prefix, group),
      (group) => `group ${group}`,
    );
    return { topics, groups, queues, unread };
  }

  async #topic(topic: Topic, lane: Lane): Promise<TopicSnapshot> {
    const { commands, prefix } = this.#connection;
    const known = this.#groupsOf.get(topic.name) ?? [];
    const look = async (partition: number): Promise<PartitionSnapshot | undefined> => {
      const place = { topic: topic.name, partition };
      const first = await readPartition(commands, prefix, place, known);
      if (first === undefined || first.groups.every(({ isOwnerKnown }) => isOwnerKnown)) return first;
      return readPartition(
        commands,
        prefix,
        place,
        first.groups.map(({ group }) => group),
      );
    };
    const numbers = Array.from({ length: topic.partitions }, (_, partition) => partition);
    return {
      topic,
      partitions: await lane.all(numbers, look, (partition) => `partition ${partition} of ${topic.name}`),
    };
  }

  #remember(topics: readonly TopicSnapshot[]): void {
    this.#groupsOf.clear();
    for (const { topic, partitions } of topics) {
      const names = new Set(partitions.flatMap(({ groups }) => groups.map(({ group }) => group)));
      this.#groupsOf.set(topic.name, [...names]);
    }
  }
}

/** Those that ever joined, and those that only have an offset: a group can be made with XGROUP as well. */
function groupNames(catalog: Catalog, topics: readonly TopicSnapshot[]): string[] {
  const names = new Set(catalog.groups);
  for (const { partitions } of topics) {
    for (const { groups } of partitions) for (const { group } of groups) names.add(group);
  }
  return [...names].sort();
}
