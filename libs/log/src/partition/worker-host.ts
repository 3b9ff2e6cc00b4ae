import type { CodecRegistry, Outcome } from '@millrace/core';
import type { DeliveryPlan, Events, HandlerLabels } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import type { DeadLetterWriter } from '../dead-letters/dead-letter-writer.js';
import type { ConsumerOptions } from '../group/consumer-options.js';
import type { CommitReply } from '../store/commit.js';
import type { GroupPartition } from '../store/lease.js';
import type { BatchContext } from './batch-context.js';
import type { Dispatcher } from './dispatcher.js';
import type { PartitionWorker } from './partition-worker.js';
import type { RecordContext } from './record-context.js';

/** What a consumer gives to the workers of all its partitions. */
export interface WorkerHost {
  readonly options: ConsumerOptions;
  readonly connection: RedisConnection;
  readonly events: Events;
  readonly codecs: CodecRegistry;
  readonly dispatcher: Dispatcher;
  readonly deadLetters: DeadLetterWriter;
  /** How a single record is handled. */
  readonly plan: DeliveryPlan<RecordContext>;
  labelsOf(topic: string): HandlerLabels;
  /** There is something to commit. */
  commitSoon(): void;
  /** A partition wants to read that did not before. */
  fetchSoon(): void;
  /** Where to go on when everything before `offset` was removed; undefined: nowhere, until somebody seeks. */
  resolveGap(worker: PartitionWorker, offset: number): Promise<number | undefined>;
  /** What Redis has is not what this worker read or committed: it must begin again from there. */
  diverged(worker: PartitionWorker): void;
  /** A handler ended after its attempt was given up. */
  tellLate(context: RecordContext | BatchContext, outcome: Outcome): void;
  /** Redis has answered to a commit. */
  tellCommit(place: GroupPartition, result: CommitReply['kind'], offset: number): void;
  onError(duty: string, error: unknown): void;
}
