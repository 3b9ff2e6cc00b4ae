import type { RetryPolicy } from '@millrace/core';
import type { Handler } from '@millrace/delivery';
import type { Ordering } from '../model/key-queues.js';
import type { BatchContext, BatchRecord } from './batch-context.js';
import type { RecordContext } from './record-context.js';

/**
 * Handles several records of one partition in one call; `context.fail` marks those that failed. If it returns a list of
 * promises, they are awaited, and one that rejects fails the batch.
 */
export type BatchHandler = (records: readonly BatchRecord[], context: BatchContext) => unknown;

/** How the records of a partition that is owned are handled and committed: the options of its consumer that are used here. */
export interface HandlingOptions {
  /** Members of one group share the partitions; each group gets every record. */
  readonly group: string;
  /** Names, or a pattern, which matches no dead-letter topic unless it names it. Topics created later are picked up. */
  readonly topics: readonly string[] | RegExp;
  /** Handles one record per call. Give this or `batchHandler`. */
  readonly handler?: Handler<RecordContext> | undefined;
  /** Handles several records of one partition per call. Give this or `handler`. */
  readonly batchHandler?: BatchHandler | undefined;
  /** The most records per batch (default 100), and how long an incomplete batch waits for more, in ms (default 0). */
  readonly batch: { readonly maxRecords: number; readonly lingerMs: number };
  /** Default `key`: one record of a key at a time, in order; records without a key run in any order. */
  readonly ordering: Ordering;
  /** Records (or batches) handled simultaneously, over all partitions of this member. Default 16. */
  readonly concurrency: number;
  /** How many times and when a failed record is tried again. Default: core's `defaultRetryPolicy`. */
  readonly retry: RetryPolicy;
  /**
   * How many times a record may come back without an outcome of its handler, because its owner ended or its lease expired meanwhile;
   * after that it is dead-lettered with `delivery_limit`. From the second time on, or before its last, it is handled alone. Default 5.
   */
  readonly deliveryLimit: number;
  /** How long a handler may take without `context.extend()`, in ms; 0 or `Infinity`: no limit. Default 300,000 (max.poll.interval.ms). */
  readonly handlerTimeoutMs: number;
  /**
   * How long a handler may go on after its deadline, when its signal was aborted, in ms. Then its attempt is given up: the next one
   * begins, with a higher `epoch`, or the record is dead-lettered, although the handler still runs. Default 5,000.
   */
  readonly abortGraceMs: number;
  /** `auto` (default): done when the handler resolves. `manual`: done when it calls `context.commit()`. */
  readonly commit: 'auto' | 'manual';
  /** How long a partition stays with an owner that is silent, in ms. Default 10,000. Renewed after a sixth to a third of it. */
  readonly leaseMs: number;
  /** How far reading may run ahead of the oldest unfinished record of a partition, in records. Default 50,000. */
  readonly maxUncommittedRecords: number;
  /** Validates a payload; may return another in its place. Default: none. @throws {ValidationError} */
  readonly validate?: ((payload: unknown, context: RecordContext) => unknown) | undefined;
}
