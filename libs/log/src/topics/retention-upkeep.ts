import { randomBytes } from 'node:crypto';
import type { DamagedStateError } from '@millrace/core';
import { type Events, PollLoop, type Service } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import { idempotently } from '../idempotent-call.js';
import type { Topic } from '../model/topic.js';
import { partitionKeys } from '../store/keys.js';
import { forgetIdleProducers, trimSlice } from '../store/retention.js';
import { allTopics } from '../store/topics.js';
import { ForeignEntries } from './foreign-entries.js';

/** As long as Kafka remembers a silent producer. */
const producerIdleMs = 86_400_000;

/** Upkeep of groups, in the same rounds. */
export interface GroupUpkeep {
  run(stopping: AbortSignal, monotonicNow: number): Promise<void>;
}

/**
 * Removes what is over the topics' limits, and producers that ended without deleting their state. Every process runs it;
 * a lease in each partition's slot makes sure that only one process does it for a partition at a time.
 */
export class RetentionUpkeep implements Service {
  readonly #connection: RedisConnection;
  readonly #events: Events;
  readonly #intervalMs: number;
  readonly #groups: GroupUpkeep;
  readonly #foreignEntries: ForeignEntries;
  readonly #owner = randomBytes(9).toString('base64url');
  readonly #cursors = new Map<string, string>();
  readonly #loop: PollLoop;
  #isFirst = true;

  /** @param groups the upkeep of groups, run in each round */
  constructor(connection: RedisConnection, events: Events, intervalMs: number, groups: GroupUpkeep) {
    this.#connection = connection;
    this.#groups = groups;
    this.#foreignEntries = new ForeignEntries(connection, events);
    this.#events = events;
    this.#intervalMs = intervalMs;
    this.#loop = new PollLoop(
      (stopping) => this.#poll(stopping),
      (error) => this.#events.emit('background-error', { duty: 'retention', error }),
    );
  }

  start(): Promise<void> {
    return this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Removes what is over the limits of one topic, now and without a lease. */
  async apply(topic: Topic): Promise<void> {
    for (const partition of partitionsOf(topic)) await this.#trim(topic, partition, undefined);
  }

  /** Removes the records of a partition below `before`; resolves to the new log start offset. */
  async deleteRecords(topic: Topic, partition: number, before: number): Promise<number> {
    return this.#trim(topic, partition, undefined, before);
  }

  async #poll(stopping: AbortSignal): Promise<number> {
    // Not all processes simultaneously, and not right after their start: half to a whole interval.
    const restMs = this.#intervalMs * (0.5 + Math.random() / 2);
    if (this.#isFirst) {
      this.#isFirst = false;
      return restMs;
    }
    if (!this.#connection.isUp) return restMs;
    const { commands, prefix } = this.#connection;
    for (const topic of await allTopics(commands, prefix, (error) => this.#damaged(error))) {
      for (const partition of partitionsOf(topic)) {
        if (stopping.aborted) return 0;
        await this.#maintain(topic, partition);
      }
    }
    await this.#groups.run(stopping, performance.now());
    return restMs;
  }

  #damaged(error: DamagedStateError): void {
    this.#events.emit('background-error', { duty: 'retention', error });
  }

  async #maintain(topic: Topic, partition: number): Promise<void> {
    const lease = { owner: this.#owner, leaseMs: Math.ceil(this.#intervalMs * 1.5) };
    if ((await this.#trim(topic, partition, lease)) < 0) return;
    await this.#foreignEntries.remove({ topic: topic.name, partition });
    const keys = partitionKeys(this.#connection.prefix, topic.name, partition);
    const cursor = this.#cursors.get(keys.producers) ?? '0';
    const next = await forgetIdleProducers(this.#connection.commands, keys, cursor, producerIdleMs);
    if (next === '0') this.#cursors.delete(keys.producers);
    else this.#cursors.set(keys.producers, next);
  }

  /** Slice by slice, each in its own round trip, so that other clients are served in between. −1: another process does it. */
  async #trim(
    topic: Topic,
    partition: number,
    lease: { owner: string; leaseMs: number } | undefined,
    before?: number,
  ): Promise<number> {
    const keys = partitionKeys(this.#connection.prefix, topic.name, partition);
    for (;;) {
      const reply = await idempotently(this.#connection, `remove old records of topic "${topic.name}"`, (client) =>
        trimSlice(client, keys, { topic, lease, before }),
      );
      if (reply.kind === 'not-ours') return -1;
      for (const { group, count } of reply.unread) {
        this.#events.emit('records-expired-unread', { topic: topic.name, partition, group, count });
      }
      if (!reply.hasMore) return reply.start;
    }
  }
}

function partitionsOf(topic: Topic): number[] {
  return Array.from({ length: topic.partitions }, (_, partition) => partition);
}
