import { type CodecRegistry, type Outcome, rateOf } from '@millrace/core';
import {
  type DeliveryPlan,
  type Events,
  emitLateOutcome,
  type HandlerLabels,
  type RunningConsumer,
  withMiddleware,
} from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import { DeadLetterChannel } from '../dead-letters/dead-letter-channel.js';
import { DeadLetterWriter } from '../dead-letters/dead-letter-writer.js';
import type { BatchContext } from '../partition/batch-context.js';
import type { DecodedBytes } from '../partition/decoded-bytes.js';
import { Dispatcher } from '../partition/dispatcher.js';
import type { UnexpectedEntry } from '../partition/partition-buffer.js';
import type { PartitionWorker } from '../partition/partition-worker.js';
import type { PrefetchShare } from '../partition/prefetch-room.js';
import type { RecordContext } from '../partition/record-context.js';
import type { InspectedEntry, WorkerContext } from '../partition/worker-context.js';
import type { CommitReply } from '../store/commit.js';
import type { GroupPartition } from '../store/lease.js';
import type { ConsumerDependencies } from './consumer-dependencies.js';
import type { ConsumerOptions } from './consumer-options.js';
import { EntryInspector } from './entry-inspector.js';

/** The parts of a consumer that its workers use. */
export interface WorkerCalls
  extends Pick<WorkerContext, 'commitSoon' | 'fetchSoon' | 'reconnect' | 'resolveGap' | 'diverged' | 'onError'> {
  /** How many partitions the member owns. */
  owned(): number;
  /** How many of them are stopped at a batch that only a newer process can read. */
  unreadable(): number;
}

/** What the workers of one consumer share. */
export class GroupWorkerContext implements WorkerContext {
  readonly options: ConsumerOptions;
  readonly connection: RedisConnection;
  readonly events: Events;
  readonly codecs: CodecRegistry;
  readonly dispatcher: Dispatcher;
  readonly decoded: DecodedBytes;
  readonly deadLetters: DeadLetterWriter;
  readonly plan: DeliveryPlan<RecordContext>;
  readonly #calls: WorkerCalls;
  readonly #consumer: RunningConsumer;
  readonly #labels = new Map<string, HandlerLabels>();
  readonly #inspector: EntryInspector;

  constructor(dependencies: ConsumerDependencies, options: ConsumerOptions, calls: WorkerCalls) {
    const { connection, events, codecs, decoded } = dependencies;
    this.decoded = decoded;
    this.options = options;
    this.connection = connection;
    this.events = events;
    this.codecs = codecs;
    this.dispatcher = new Dispatcher(options.concurrency, rateOf(options));
    const channel = new DeadLetterChannel(connection, options);
    this.deadLetters = new DeadLetterWriter(channel, dependencies, options.deadLetter);
    const { handler = () => undefined, middleware, validate, handlerTimeoutMs, abortGraceMs } = options;
    const onLate = (outcome: Outcome, context: RecordContext): void => this.emitLate(context, outcome);
    this.plan = { handle: withMiddleware(handler, middleware), validate, handlerTimeoutMs, abortGraceMs, onLate };
    this.#calls = calls;
    this.#inspector = new EntryInspector(connection, dependencies.foreignEntries);
    const { name = options.group, group } = options;
    this.#consumer = {
      handler: name,
      source: `group:${group}`,
      group,
      running: () => this.dispatcher.running,
      unreadable: () => calls.unreadable(),
    };
  }

  labelsOf(topic: string): HandlerLabels {
    let labels = this.#labels.get(topic);
    if (labels === undefined) {
      const { name, group } = this.options;
      labels = Object.freeze({ handler: name ?? group, source: `topic:${topic}`, group });
      this.#labels.set(topic, labels);
    }
    return labels;
  }

  emitStarted(): void {
    this.events.emit('consumer-started', this.#consumer);
  }

  emitStopped(): void {
    this.events.emit('consumer-stopped', this.#consumer);
  }

  emitLate(context: RecordContext | BatchContext, outcome: Outcome): void {
    emitLateOutcome(this.events, this.labelsOf(context.topic), context, outcome);
  }

  emitCommit({ topic, partition, group }: GroupPartition, result: CommitReply['kind'], offset: number): void {
    if (result === 'committed') this.events.emit('committed', { topic, partition, group, offset });
    else this.events.emit('commit-refused', { topic, partition, group, why: result });
  }

  /** How much one partition may hold in memory at present. */
  shareOfPrefetch(): PrefetchShare {
    const owned = Math.max(1, this.#calls.owned());
    const { prefetchRecords, prefetchBytes } = this.options;
    return { records: Math.ceil(prefetchRecords / owned), bytes: Math.ceil(prefetchBytes / owned) };
  }

  commitSoon(): void {
    this.#calls.commitSoon();
  }

  fetchSoon(): void {
    this.#calls.fetchSoon();
  }

  reconnect(): void {
    this.#calls.reconnect();
  }

  resolveGap(worker: PartitionWorker, offset: number): Promise<number | undefined> {
    return this.#calls.resolveGap(worker, offset);
  }

  inspect(worker: PartitionWorker, unexpected: UnexpectedEntry): Promise<InspectedEntry> {
    return this.#inspector.inspect(worker, unexpected);
  }

  diverged(worker: PartitionWorker): void {
    this.#calls.diverged(worker);
  }

  readonly onError = (duty: string, error: unknown): void => this.#calls.onError(duty, error);
}
