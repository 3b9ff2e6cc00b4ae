import type { CodecRegistry, Outcome } from '@millrace/core';
import type { DeliveryPlan, Events, HandlerLabels } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import type { DeadLetterWriter } from '../dead-letters/dead-letter-writer.js';
import type { EntryFinding } from '../model/entry-chain.js';
import type { CommitReply } from '../store/commit.js';
import type { GroupPartition } from '../store/lease.js';
import type { BatchContext } from './batch-context.js';
import type { DecodedBytes } from './decoded-bytes.js';
import type { Dispatcher } from './dispatcher.js';
import type { HandlingOptions } from './handling-options.js';
import type { UnexpectedEntry } from './partition-buffer.js';
import type { PartitionWorker } from './partition-worker.js';
import type { RecordContext } from './record-context.js';

/** What an entry is that did not follow what was read. */
export type InspectedEntry =
  | Extract<EntryFinding, { readonly kind: 'own' | 'foreign' | 'gap' | 'diverged' }>
  /** It did not belong to the log, and is gone. `isStale`: it was gone before, or was read over a connection to another server. */
  | { readonly kind: 'removed'; readonly isStale: boolean }
  /** Reading cannot continue; `why` completes a sentence about the entry. */
  | { readonly kind: 'unexplained'; readonly why: string };

/** What a consumer provides to the workers of all its partitions. */
export interface WorkerContext {
  readonly options: HandlingOptions;
  readonly connection: RedisConnection;
  readonly events: Events;
  readonly codecs: CodecRegistry;
  readonly dispatcher: Dispatcher;
  /** Of all consumers of its Log. */
  readonly decoded: DecodedBytes;
  readonly deadLetters: DeadLetterWriter;
  /** How a single record is handled. */
  readonly plan: DeliveryPlan<RecordContext>;
  labelsOf(topic: string): HandlerLabels;
  /** There is something to commit. */
  commitSoon(): void;
  /** A partition wants to be read that did not before. */
  fetchSoon(): void;
  /** What was read is not what Redis has: reads over a new connection. */
  reconnect(): void;
  /** Where to continue when everything before `offset` was removed; undefined: nowhere, until a seek. */
  resolveGap(worker: PartitionWorker, offset: number): Promise<number | undefined>;
  /** Finds out what an entry is that does not follow what was read, and removes it if it is past the log's end. */
  inspect(worker: PartitionWorker, unexpected: UnexpectedEntry): Promise<InspectedEntry>;
  /** What Redis has is not what this worker read or committed: it must start again from there. */
  diverged(worker: PartitionWorker): void;
  /** A handler ended after its attempt was given up. */
  emitLate(context: RecordContext | BatchContext, outcome: Outcome): void;
  /** Redis has replied to a commit. */
  emitCommit(place: GroupPartition, result: CommitReply['kind'], offset: number): void;
  onError(duty: string, error: unknown): void;
}
