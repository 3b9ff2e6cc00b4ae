import {
  assertNoProblem,
  type Codec,
  integerProblem,
  msgpackCodec,
  msgpackInstallation,
  OptionsError,
  shown,
  TopicConflictError,
  TopicNotFoundError,
} from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { idempotently } from '../idempotent-call.js';
import { compressionProblem } from '../model/batch-compression.js';
import {
  deadLetterTopics,
  maxPartitions,
  noSuchPartition,
  resolveTopic,
  type Topic,
  type TopicInput,
  topicDifferences,
} from '../model/topic.js';
import { partitionKeys } from '../store/keys.js';
import { openOrRepairPartition, type PartitionState, partitionState, removePartition } from '../store/partition.js';
import { allTopics, createTopic, findTopic, replaceTopic, unregisterTopic } from '../store/topics.js';
import type { TopicCatalog } from './topic-catalog.js';

/** A topic, and the offsets of each of its partitions. */
export interface TopicDescription extends Topic {
  /** One entry per partition, in order. */
  readonly partitionStates: readonly PartitionState[];
}

/** Settings that can be changed while a topic is in use. */
export type TopicChange = Partial<Pick<TopicInput, 'retention' | 'compression' | 'deadLetter' | 'timestamps'>>;

/** Declares, describes, changes and deletes topics. */
export class Topics {
  readonly #connection: RedisConnection;
  readonly #catalog: TopicCatalog;
  readonly #codecs: ReadonlyMap<string, Codec>;

  constructor(connection: RedisConnection, catalog: TopicCatalog, codecs: ReadonlyMap<string, Codec>) {
    this.#connection = connection;
    this.#catalog = catalog;
    this.#codecs = codecs;
  }

  /**
   * Declares a topic; declaring it again with the same settings does nothing.
   *
   * @throws {OptionsError} the name or a setting is invalid
   * @throws {TopicConflictError} it is declared with other settings; nothing was changed
   */
  async declare(input: TopicInput): Promise<TopicDescription> {
    const settings = resolveTopic(input);
    this.#check(settings.name, settings);
    const topic = await this.#ask(`declare topic "${settings.name}"`, (client) =>
      createTopic(client, this.#connection.prefix, settings),
    );
    const differences = topicDifferences(topic, settings);
    if (differences.length > 0) throw new TopicConflictError(topic.name, differences);
    return this.#open(topic);
  }

  /** @throws {TopicNotFoundError} */
  async describe(name: string): Promise<TopicDescription> {
    const topic = await this.#find(name);
    const states = await this.#eachPartition(topic, `describe topic "${name}"`, (client, keys) =>
      partitionState(client, keys),
    );
    const none: PartitionState = { start: 0, end: 0, bytes: 0 };
    return { ...topic, partitionStates: states.map((state) => state ?? none) };
  }

  /** All topics, sorted by name. */
  list(): Promise<Topic[]> {
    return this.#ask('list the topics', (client) => allTopics(client, this.#connection.prefix));
  }

  /** What `find` finds; undefined if the topic does not exist yet because the first dead letter of another topic creates it. */
  async unlessAwaited<T>(name: string, find: () => Promise<T>): Promise<T | undefined> {
    try {
      return await find();
    } catch (error) {
      if (error instanceof TopicNotFoundError && deadLetterTopics(await this.list()).has(name)) return undefined;
      throw error;
    }
  }

  /**
   * Deletes a topic with all its records and its groups' offsets. Resolves to false when there was none. Producers that still send
   * to it get a TopicNotFoundError.
   */
  async delete(name: string): Promise<boolean> {
    const { prefix } = this.#connection;
    for (;;) {
      const topic = await this.#ask(`look up topic "${name}"`, (client) => findTopic(client, prefix, name));
      this.#catalog.forget(name);
      if (topic === undefined) return false;
      if (!(await this.#ask(`delete topic "${name}"`, (client) => unregisterTopic(client, prefix, topic)))) continue;
      await Promise.all(
        partitionsOf(topic).map((partition) =>
          this.#ask(`delete topic "${name}"`, (client) => removePartition(client, prefix, topic, partition)),
        ),
      );
      return true;
    }
  }

  /**
   * Adds partitions until there are `partitions` of them. Keys move to other partitions: a key's new records may go to
   * another partition than its old ones, and its order between the two is lost. docs/topics.md describes how to avoid that.
   *
   * @throws {OptionsError} it would be fewer than now: partitions cannot be removed
   */
  async addPartitions(name: string, partitions: number): Promise<TopicDescription> {
    return this.#change(name, (topic) => {
      const range = { min: topic.partitions, max: maxPartitions };
      const problem = integerProblem('partitions', partitions, range);
      assertNoProblem(`topic "${name}"`, problem && `${problem}; it has ${topic.partitions}`);
      return { ...topic, partitions };
    });
  }

  /** Changes settings of a topic that is in use; batches already in the log stay as they are. */
  async alter(name: string, change: TopicChange): Promise<TopicDescription> {
    const known = ['retention', 'compression', 'deadLetter', 'timestamps'];
    if (typeof change !== 'object' || change === null || Array.isArray(change)) {
      throw new OptionsError(`topic "${name}"`, [`a change must be an object, got ${shown(change)}`]);
    }
    const wrong = Object.keys(change).filter((key) => !known.includes(key));
    if (wrong.length > 0) {
      const problems = wrong.map((key) => `${key} cannot be altered; only ${known.join(', ')} can`);
      throw new OptionsError(`topic "${name}"`, problems);
    }
    return this.#change(name, ({ partitions, codec, compression, retention, deadLetter, timestamps }) => {
      const declared = { name, partitions, codec, compression, retention, deadLetter, timestamps };
      const settings = resolveTopic({ ...declared, ...change });
      this.#check(name, settings);
      return settings;
    });
  }

  /** The settings of a topic, read from Redis, after checking that it has the partition. */
  async withPartition(name: string, partition: number, timeoutMs?: number): Promise<Topic> {
    const topic = await this.#find(name, timeoutMs);
    if (Number.isInteger(partition) && partition >= 0 && partition < topic.partitions) return topic;
    throw noSuchPartition(topic, partition);
  }

  async #find(name: string, timeoutMs?: number): Promise<Topic> {
    if (typeof name !== 'string' || name === '') throw new TopicNotFoundError(String(name));
    return this.#catalog.refresh(name, timeoutMs);
  }

  async #change(
    name: string,
    changed: (topic: Topic) => Parameters<typeof replaceTopic>[3],
  ): Promise<TopicDescription> {
    for (;;) {
      const topic = await this.#find(name);
      const settings = changed(topic);
      if (topicDifferences(topic, settings).length === 0) return this.#open(topic);
      const replaced = await this.#ask(`change topic "${name}"`, (client) =>
        replaceTopic(client, this.#connection.prefix, topic, settings),
      );
      if (replaced !== undefined) return this.#open(replaced);
    }
  }

  /** Prepares all partitions; completes what a crash between registration and partitions left undone. */
  async #open(topic: Topic): Promise<TopicDescription> {
    const { prefix } = this.#connection;
    await Promise.all(
      partitionsOf(topic).map((partition) =>
        this.#ask(`open topic "${topic.name}"`, (client) => openOrRepairPartition(client, prefix, topic, partition)),
      ),
    );
    this.#catalog.learn(topic);
    return this.describe(topic.name);
  }

  #check(name: string, { codec, compression }: { codec: string; compression: Topic['compression'] }): void {
    const problems: string[] = [];
    if (!this.#codecs.has(codec)) {
      const hint = codec === msgpackCodec.name ? `. ${msgpackInstallation}` : '';
      problems.push(`codec "${codec}" is unknown: there are ${[...this.#codecs.keys()].join(', ')}${hint}`);
    }
    const problem = compressionProblem(compression);
    if (problem !== undefined) problems.push(problem);
    if (problems.length > 0) throw new OptionsError(`topic "${name}"`, problems);
  }

  #eachPartition<T>(
    topic: Topic,
    what: string,
    call: (client: RedisConnection['commands'], keys: ReturnType<typeof partitionKeys>) => Promise<T>,
  ): Promise<T[]> {
    const { prefix } = this.#connection;
    return Promise.all(
      partitionsOf(topic).map((partition) =>
        this.#ask(what, (client) => call(client, partitionKeys(prefix, topic.name, partition))),
      ),
    );
  }

  #ask<T>(what: string, call: (client: RedisConnection['commands']) => Promise<T>): Promise<T> {
    return idempotently(this.#connection, what, call);
  }
}

function partitionsOf(topic: Topic): number[] {
  return Array.from({ length: topic.partitions }, (_, partition) => partition);
}
