import type { Events } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import { idempotently } from '../idempotent-call.js';
import type { TopicPartition } from '../model/topic-partition.js';
import { removeForeignEntries } from '../store/foreign-entries.js';
import { partitionKeys } from '../store/keys.js';

/**
 * Entries that another program wrote into the stream of a partition. Past the log's end they make every append
 * fail, so they are removed there; between its batches readers skip them.
 */
export class ForeignEntries {
  readonly #connection: RedisConnection;
  readonly #events: Events;

  constructor(connection: RedisConnection, events: Events) {
    this.#connection = connection;
    this.#events = events;
  }

  /** Removes those past a partition's end; resolves to their number. */
  async remove({ topic, partition }: TopicPartition): Promise<number> {
    const keys = partitionKeys(this.#connection.prefix, topic, partition);
    const what = `remove foreign entries from topic "${topic}", partition ${partition}`;
    const removed = await idempotently(this.#connection, what, (client) => removeForeignEntries(client, keys));
    if (removed > 0) this.#events.emit('foreign-entries', { topic, partition, removed });
    return removed;
  }

  /** The same in all partitions of a topic. */
  async removeFromAll({
    name: topic,
    partitions,
  }: {
    readonly name: string;
    readonly partitions: number;
  }): Promise<number> {
    let removed = 0;
    for (let partition = 0; partition < partitions; partition++) removed += await this.remove({ topic, partition });
    return removed;
  }

  /** A reader has skipped foreign entries between the log's batches. */
  skipped({ topic, partition }: TopicPartition): void {
    this.#events.emit('foreign-entries', { topic, partition, removed: 0 });
  }
}
