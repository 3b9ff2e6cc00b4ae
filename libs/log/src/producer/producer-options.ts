import { boolean, custom, integer, OptionsError, oneOf, optional, resolveOptions } from '@millrace/core';
import { compressionProblem } from '../model/batch-compression.js';
import type { RecordInput } from '../model/record.js';
import { type Compression, compressions } from '../model/record-batch.js';
import { maxBatchesInFlight } from '../store/append.js';

/** Which confirmation a send waits for. */
export const acknowledgements = ['none', 'leader', 'all'] as const;
/** `none`, `leader` or `all`: see {@link ProducerOptions.acks}. */
export type Acknowledgement = (typeof acknowledgements)[number];

/**
 * Chooses a record's partition, an integer below `partitions`; undefined leaves the choice to the producer. It is synchronous.
 * If it throws, or returns anything else, the record is rejected (`InvalidMessageError`): nothing is sent.
 */
export type Partitioner = (record: RecordInput, partitions: number) => number | undefined;

/** How a producer batches, confirms and times out. */
export interface ProducerOptions {
  /**
   * `none`: not confirmed; offset −1, and what Redis refuses or does not reply to is only reported, as `background-error`. `leader`
   * (default): Redis has it. `all`: `minReplicas` replicas have it too (on disk where Redis reports that: Redis 7.2 with AOF).
   */
  readonly acks: Acknowledgement;
  /** How many replicas must have a record with `acks: 'all'`. Default 1. */
  readonly minReplicas: number;
  /**
   * How long to wait for replicas with `acks: 'all'`, in ms, before a send fails with `not-enough-replicas`. Default 3,000; at most
   * 5,000.
   */
  readonly replicaTimeoutMs: number;
  /** A batch that is sent again after a lost reply gets the same offsets as the first time. Default true. */
  readonly idempotent: boolean;
  /**
   * How long a batch waits for more records, in ms. Default 0: what is sent in one turn of the event loop shares a batch, which
   * is sent before the turn ends when it has 16 KiB and nothing else of its partition is under way.
   */
  readonly lingerMs: number;
  /** A batch is closed before it exceeds this size. A larger record gets a batch of its own. Default 256 KiB. */
  readonly maxBatchBytes: number;
  /** Largest record: key, headers and encoded value, and 8 bytes besides, 3 more per header. Default 1 MiB. */
  readonly maxRecordBytes: number;
  /** Bytes of records that wait for Redis. Beyond it `send` waits, for up to `deliveryTimeoutMs`. Default 32 MiB. */
  readonly maxBufferedBytes: number;
  /** The longest time until a `send` resolves or rejects, in ms. Default 30,000. */
  readonly deliveryTimeoutMs: number;
  /** How batches are compressed. Default: the topic's setting. */
  readonly compression?: Compression | undefined;
  /** Chooses partitions. Default: by key; batches without keys go round-robin, each whole into one partition. */
  readonly partitioner?: Partitioner | undefined;
}

/** How many batches of a partition are in flight simultaneously. Without numbers, a repeated batch could overtake the next. */
export function batchesInFlight({ idempotent, acks }: ProducerOptions): number {
  return idempotent || acks === 'none' ? maxBatchesInFlight : 1;
}

/** Batches smaller than this are not compressed: it would not make them smaller. */
export const minCompressedBytes = 200;

/** Checks the options and fills in defaults. @throws {OptionsError} with all problems */
export function resolveProducerOptions(input: Partial<ProducerOptions>): ProducerOptions {
  const options = resolveOptions<ProducerOptions>(
    'producer',
    {
      acks: oneOf(acknowledgements, 'leader'),
      minReplicas: integer(1, { min: 1 }),
      replicaTimeoutMs: integer(3000, { min: 1, max: 5000 }),
      idempotent: boolean(true),
      lingerMs: integer(0, { max: 60_000 }),
      maxBatchBytes: integer(256 * 1024, { min: 1, max: 64 * 1024 * 1024 }),
      maxRecordBytes: integer(1024 * 1024, { min: 1, max: 32 * 1024 * 1024 }),
      maxBufferedBytes: integer(32 * 1024 * 1024, { min: 1 }),
      deliveryTimeoutMs: integer(30_000, { min: 1, max: 3_600_000 }),
      compression: optional(oneOf(compressions, 'none')),
      partitioner: optional(custom<Partitioner>(() => undefined, 'a function', isFunction)),
    },
    input,
  );
  const problems: string[] = [];
  if (options.maxBufferedBytes < options.maxRecordBytes) {
    problems.push(`maxBufferedBytes must hold at least one record of maxRecordBytes (${options.maxRecordBytes})`);
  }
  if (options.lingerMs >= options.deliveryTimeoutMs) problems.push('lingerMs must be less than deliveryTimeoutMs');
  const problem = options.compression === undefined ? undefined : compressionProblem(options.compression);
  if (problem !== undefined) problems.push(problem);
  if (problems.length > 0) throw new OptionsError('producer', problems);
  return options;
}

function isFunction(value: unknown): value is Partitioner {
  return typeof value === 'function';
}
