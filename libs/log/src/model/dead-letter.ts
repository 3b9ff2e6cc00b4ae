import { type DeadLetterReason, describeFailure, type Headers, rawCodec } from '@millrace/core';
import { type DecodedBatch, decodeBatch } from './batch-compression.js';
import type { StoredRecord } from './record.js';
import { frameBatch, RecordBatchWriter } from './record-batch.js';
import type { TopicPartition } from './topic-partition.js';

/** Headers of a dead letter: where it comes from and why. docs/retries-and-dead-letters.md lists them. */
export const deadLetterHeaders = {
  topic: 'millrace-original-topic',
  partition: 'millrace-original-partition',
  offset: 'millrace-original-offset',
  /** Only when the letter stands for several records whose batch cannot be read: the offset of the last one. */
  lastOffset: 'millrace-original-last-offset',
  timestamp: 'millrace-original-timestamp',
  group: 'millrace-group',
  reason: 'millrace-reason',
  errorName: 'millrace-error-name',
  errorMessage: 'millrace-error-message',
  errorStack: 'millrace-error-stack',
  attempts: 'millrace-attempts',
  /** How many times it was sent back from a dead-letter topic. */
  redrives: 'millrace-redrives',
  /** On a record that was sent back: the only group that handles it again. */
  redrivenFor: 'millrace-redriven-for',
} as const;

/** Why a record is given up. */
export interface DeadLetterCause {
  readonly reason: DeadLetterReason;
  readonly error: unknown;
}

/** A record that a group gave up. */
export interface DeadRecord extends TopicPartition, DeadLetterCause {
  readonly record: StoredRecord;
  readonly lastOffset: number;
  readonly codecId: number;
  readonly group: string;
  readonly attempts: number;
}

/** The dead letter's frame: key, value and headers as they were, and where it comes from. */
export function deadLetterFrame(dead: DeadRecord, nowMs: number): Buffer {
  const failure = describeFailure(dead.error);
  const { record } = dead;
  const headers: Headers = {
    ...record.headers,
    [deadLetterHeaders.topic]: dead.topic,
    [deadLetterHeaders.partition]: dead.partition,
    [deadLetterHeaders.offset]: record.offset,
    ...(dead.lastOffset > record.offset ? { [deadLetterHeaders.lastOffset]: dead.lastOffset } : {}),
    [deadLetterHeaders.timestamp]: record.timestamp,
    [deadLetterHeaders.group]: dead.group,
    [deadLetterHeaders.reason]: dead.reason,
    [deadLetterHeaders.errorName]: failure.name,
    [deadLetterHeaders.errorMessage]: failure.message,
    [deadLetterHeaders.errorStack]: failure.stack,
    [deadLetterHeaders.attempts]: dead.attempts,
  };
  return frameOf([{ ...record, headers }], dead.codecId, nowMs);
}

/** Where a dead letter comes from; undefined when it is none. */
export function originOf(
  headers: Headers,
): (TopicPartition & { readonly group: string; readonly redrives: number }) | undefined {
  const topic = headers[deadLetterHeaders.topic];
  const partition = headers[deadLetterHeaders.partition];
  const group = headers[deadLetterHeaders.group];
  if (typeof topic !== 'string' || typeof partition !== 'number' || typeof group !== 'string') return undefined;
  const redrives = headers[deadLetterHeaders.redrives];
  return { topic, partition, group, redrives: typeof redrives === 'number' ? redrives : 0 };
}

/**
 * What a dead letter stands for: its record as it was, or the records of a batch that could not be read when it was given up. Such a
 * letter keeps the whole batch as stored in the log; a process that can read it recovers the records.
 * Undefined when the batch cannot be read here (yet).
 */
export function recordsOf(letter: StoredRecord, codecId: number): DecodedBatch | undefined {
  const { headers, value } = letter;
  const first = headers[deadLetterHeaders.offset];
  const last = headers[deadLetterHeaders.lastOffset] ?? first;
  const isBatch = headers[deadLetterHeaders.reason] === 'undecodable' && codecId === rawCodec.id;
  if (!isBatch || typeof first !== 'number' || typeof last !== 'number') return { codecId, records: [letter] };
  try {
    const batch = decodeBatch(value, last + 1);
    const records = batch.records.filter(({ offset }) => offset >= first);
    return records.length === 0 ? undefined : { codecId: batch.codecId, records };
  } catch {
    return undefined;
  }
}

/** The records of a dead letter as they were, marked for the group that gave it up. */
export function redriveFrame(letter: Headers, { codecId, records }: DecodedBatch, nowMs: number): Buffer {
  const origin = originOf(letter);
  const ours: readonly string[] = Object.values(deadLetterHeaders);
  const mark: Headers = {
    [deadLetterHeaders.redrives]: (origin?.redrives ?? 0) + 1,
    ...(origin === undefined ? {} : { [deadLetterHeaders.redrivenFor]: origin.group }),
  };
  const marked = records.map((record) => {
    const kept = Object.entries(record.headers).filter(([name]) => !ours.includes(name));
    return { ...record, headers: { ...Object.fromEntries(kept), ...mark } };
  });
  return frameOf(marked, codecId, nowMs);
}

function frameOf(records: readonly StoredRecord[], codecId: number, timestamp: number): Buffer {
  const writer = new RecordBatchWriter(records.reduce((bytes, { value }) => bytes + value.length + 512, 0));
  for (const { key, headers, value } of records) writer.add(timestamp, key, headers, value);
  const { count } = writer;
  return frameBatch({ codecId, compression: 'none', count, baseTimestamp: timestamp, body: writer.finish() });
}
