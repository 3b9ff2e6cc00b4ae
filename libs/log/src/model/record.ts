import type { Headers } from '@millrace/core';

/** What is sent: one message for a topic. */
export interface RecordInput<T = unknown> {
  readonly topic: string;
  readonly value: T;
  /** Records of one key go to one partition and keep their order. Without a key batches go round-robin. */
  readonly key?: string | undefined;
  /** Goes before the key's partition. */
  readonly partition?: number | undefined;
  readonly headers?: Headers | undefined;
  /** When it happened, in ms since 1970. Default: the producer's clock. */
  readonly timestamp?: number | undefined;
}

/** Where a record was written. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
}

/** A record as it stands in the log, its value still in bytes. */
export interface StoredRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | undefined;
  readonly headers: Headers;
  /** A view of the batch's bytes. */
  readonly value: Buffer;
}
