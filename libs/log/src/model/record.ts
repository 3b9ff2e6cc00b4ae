import type { Headers, HeadersInput } from '@millrace/core';

/** What is sent: one message for a topic. */
export interface RecordInput<T = unknown> {
  /** The topic's name. */
  readonly topic: string;
  /** Encoded with the topic's codec. */
  readonly value: T;
  /** Records of one key go to one partition and keep their order. Without a key batches go round-robin. */
  readonly key?: string | undefined;
  /** Goes before the key's partition. Default: the producer chooses. */
  readonly partition?: number | undefined;
  /** Facts about the record; names that begin with `millrace-` are reserved, what is `undefined` is left out. Default: none. */
  readonly headers?: HeadersInput | undefined;
  /** When it happened, in ms since 1970. Default: the producer's clock. Readers of a topic with `timestamps: 'append'` do not see it. */
  readonly timestamp?: number | undefined;
}

/** Where a record was written. */
export interface RecordMetadata {
  /** The topic's name. */
  readonly topic: string;
  /** The partition's number, from 0. */
  readonly partition: number;
  /** Its place in the partition, from 0; −1 with `acks: 'none'`. */
  readonly offset: number;
  /** When it happened, in ms since 1970; with `timestamps: 'append'` when it was appended, which `acks: 'none'` does not wait for. */
  readonly timestamp: number;
}

/** A record as it stands in the log, its value still in bytes. */
export interface StoredRecord {
  /** Its place in the partition, from 0. */
  readonly offset: number;
  /** When it happened, in ms since 1970: its producer's clock; with `timestamps: 'append'` when it was appended. */
  readonly timestamp: number;
  /** Undefined for a record that was sent without one. */
  readonly key: string | undefined;
  /** What was sent with it. */
  readonly headers: Headers;
  /** A view of the batch's bytes. */
  readonly value: Buffer;
}
