import { type RedisConnection, redisFailure } from '@millrace/redis';
import { idempotently } from '../idempotent-call.js';
import { explainEntry } from '../model/entry-chain.js';
import type { TopicPartition } from '../model/topic-partition.js';
import type { UnexpectedEntry } from '../partition/partition-buffer.js';
import type { InspectedEntry } from '../partition/worker-context.js';
import { lookAtChain } from '../store/foreign-entries.js';
import { partitionKeys } from '../store/keys.js';
import type { ForeignEntries } from '../topics/foreign-entries.js';

const howToSkip = 'groups.resetOffsets or a seek past it skips it';

/** Finds out what an entry of a partition's stream is that does not follow what was read. */
export class EntryInspector {
  readonly #connection: RedisConnection;
  readonly #foreignEntries: ForeignEntries;

  constructor(connection: RedisConnection, foreignEntries: ForeignEntries) {
    this.#connection = connection;
    this.#foreignEntries = foreignEntries;
  }

  /** Classifies the entry. An entry past the log's end is removed, so that the log can grow. */
  async inspect(
    { topic, partition }: TopicPartition,
    { entry, count, read }: UnexpectedEntry,
  ): Promise<InspectedEntry> {
    const keys = partitionKeys(this.#connection.prefix, topic, partition);
    const what = `compare topic "${topic}", partition ${partition}`;
    const look = await idempotently(this.#connection, what, (client) => lookAtChain(client, keys, read));
    const finding = explainEntry(entry, count, read, look);
    switch (finding.kind) {
      case 'behind-end':
        return this.#remove({ topic, partition });
      case 'foreign':
        this.#foreignEntries.skipped({ topic, partition });
        return finding;
      case 'unexplained':
        return { kind: 'unexplained', why: `does not follow the entry before it, and no other does. ${howToSkip}` };
      default:
        return finding;
    }
  }

  async #remove(place: TopicPartition): Promise<InspectedEntry> {
    try {
      return { kind: 'removed', isStale: (await this.#foreignEntries.remove(place)) === 0 };
    } catch (error) {
      if (redisFailure(error).failure !== 'denied') throw error;
      const why = 'was not written by Millrace, and this Redis user may not remove it: the upkeep of topics does, or';
      return { kind: 'unexplained', why: `${why} log.removeForeignEntries("${place.topic}")` };
    }
  }
}
