import type { Headers, HeadersInput } from '@millrace/core';

/** A record to send to a topic. */
export interface RecordInput<T = unknown> {
  /** The topic's name. */
  readonly topic: string;
  /** Encoded with the topic's codec. */
  readonly value: T;
  /** Records with the same key go to the same partition and keep their order. Without a key, batches go round-robin. */
  readonly key?: string | undefined;
  /** The partition's number; overrides the one by key. Default: chosen by the producer. */
  readonly partition?: number | undefined;
  /** Metadata of the record; names that begin with `millrace-` are reserved, `undefined` values are left out. Default: none. */
  readonly headers?: HeadersInput | undefined;
  /**
   * When the event happened, in ms since 1970. Default: the producer's clock. Readers of a topic with `timestamps: 'append'` do not see
   * it.
   */
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
  /**
   * When the event happened, in ms since 1970; with `timestamps: 'append'` when it was appended, which `acks: 'none'` does not wait for.
   */
  readonly timestamp: number;
}

/** A record as stored in the log, its value still encoded. */
export interface StoredRecord {
  /** Its place in the partition, from 0. */
  readonly offset: number;
  /** When the event happened, in ms since 1970, by its producer's clock; with `timestamps: 'append'` when it was appended. */
  readonly timestamp: number;
  /** Undefined for a record that was sent without one. */
  readonly key: string | undefined;
  /** The headers it was sent with. */
  readonly headers: Headers;
  /** A view of the batch's bytes. */
  readonly value: Buffer;
}
