import type { Events } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import { type OutOfRangePolicy, resumeAt } from '../model/offset-range.js';
import { decodeProgress, noProgress, type Progress } from '../model/progress.js';
import { OffsetOutOfRangeError } from '../model/read-range.js';
import type { TopicPartition } from '../model/topic-partition.js';
import { HeldLease } from '../partition/held-lease.js';
import { PartitionWorker } from '../partition/partition-worker.js';
import type { WorkerContext } from '../partition/worker-context.js';
import type { PartitionReader } from '../reader/partition-reader.js';
import { type AcquireReply, acquireLease, type GroupPartition, releaseLease } from '../store/lease.js';
import type { ConsumerOptions } from './consumer-options.js';

export interface TakerConfig {
  readonly owner: string;
  /** Whether the holder of a lease is still in the group. */
  readonly isLive: (owner: string) => Promise<boolean>;
  readonly options: ConsumerOptions;
}

/** Takes partitions: acquires the lease, finds out where to continue, and creates the worker. */
export class PartitionTaker {
  readonly #connection: RedisConnection;
  readonly #config: TakerConfig;
  readonly #reader: PartitionReader;
  readonly #events: Events;
  readonly #context: WorkerContext;

  constructor(
    connection: RedisConnection,
    config: TakerConfig,
    reader: PartitionReader,
    events: Events,
    context: WorkerContext,
  ) {
    this.#connection = connection;
    this.#config = config;
    this.#reader = reader;
    this.#events = events;
    this.#context = context;
  }

  /**
   * Undefined while another member holds it.
   *
   * @param isNew whether the partition appeared after the group was created: it is read from its beginning
   * @param topicId the topic that the group's plan is for; one that was declared again since is also read from its beginning
   */
  async take(
    partition: TopicPartition,
    { isNew, topicId }: { readonly isNew: boolean; readonly topicId: number | undefined },
  ): Promise<PartitionWorker | undefined> {
    const { options } = this.#config;
    const place = { prefix: this.#connection.prefix, group: options.group, ...partition };
    const sentAt = performance.now();
    const reply = await this.#acquire(place, isNew, topicId);
    if (reply.kind !== 'acquired') return undefined;
    const lease = new HeldLease(place, {
      owner: this.#config.owner,
      epoch: reply.epoch,
      topicId: reply.topicId,
      leaseMs: options.leaseMs,
      rewinds: reply.rewinds,
      sentAt,
    });
    const progress = this.#progressOf(reply.committed, reply.progress);
    const worker = new PartitionWorker(lease, { ...reply, progress }, this.#context);
    try {
      await this.#moveIntoRange(worker, reply);
    } catch (error) {
      await releaseLease(this.#connection.commands, place, lease.holder);
      throw error;
    }
    return worker;
  }

  /** Where to continue when the log does not hold `from`; undefined: nowhere. Emits an event either way. */
  resume(
    worker: TopicPartition & { readonly group: string },
    from: number,
    log: { readonly start: number; readonly end: number },
    policy: OutOfRangePolicy = this.#config.options.onOutOfRange,
  ): number | undefined {
    const resumption = resumeAt(from, log, policy);
    if (resumption.kind === 'as-wanted') return from;
    const { topic, partition, group } = worker;
    if (resumption.kind === 'refused') {
      const error = new OffsetOutOfRangeError(topic, partition, from, log.start, log.end);
      this.#context.onError(`read topic "${topic}", partition ${partition} for group "${group}": it is paused`, error);
      return undefined;
    }
    const { offset: to, why } = resumption;
    this.#events.emit('offset-out-of-range', { topic, partition, group, from, to, why });
    return to;
  }

  async #acquire(place: GroupPartition, isNew: boolean, topicId: number | undefined): Promise<AcquireReply> {
    const { owner, isLive, options } = this.#config;
    const { commands } = this.#connection;
    const from = isNew ? 'earliest' : typeof options.from === 'object' ? 'ask' : options.from;
    const request = { owner, leaseMs: options.leaseMs, from, topicId } as const;
    let reply = await acquireLease(commands, place, request);
    // Its owner is no longer in the group: it left, died, or was replaced by a new process of the same name.
    if (reply.kind === 'held' && !(await isLive(reply.owner))) {
      reply = await acquireLease(commands, place, { ...request, dead: reply.owner });
    }
    if (reply.kind !== 'no-offset' || typeof options.from !== 'object') return reply;
    const offset = await this.#reader.offsetForTimestamp(place.topic, place.partition, options.from.timestamp);
    return acquireLease(commands, place, { ...request, from: offset });
  }

  async #moveIntoRange(
    worker: PartitionWorker,
    { committed, start, end }: { readonly committed: number; readonly start: number; readonly end: number },
  ): Promise<void> {
    const to = this.resume(worker, committed, { start, end });
    if (to === undefined) worker.holds.put('stuck');
    else if (to !== committed) await worker.seek(to);
  }

  #progressOf(committed: number, bytes: Buffer): Progress {
    try {
      return decodeProgress(committed, bytes);
    } catch (error) {
      this.#context.onError('read the progress of a group', error);
      return noProgress;
    }
  }
}
